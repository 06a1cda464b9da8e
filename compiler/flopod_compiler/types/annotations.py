"""From annotation expressions to types: unions without None, containers, aliases, strings."""

from __future__ import annotations

import ast

from flopod_compiler.model import External, ModuleValue, ProjectClass, Symbol
from flopod_compiler.names import How, Names, Scope
from flopod_compiler.types.model import AWAITABLE, ITERATOR, Type, Types, of, union

_TRANSPARENT = frozenset({"Optional", "Final", "ClassVar", "Required", "NotRequired", "ReadOnly", "InitVar"})
_OPAQUE = frozenset({
    "Any", "object", "Callable", "Type", "type", "TypeVar", "AnyStr", "Self", "Never", "NoReturn", "Hashable",
    "SupportsInt", "Protocol", "Generic", "ParamSpec", "Concatenate",
})  # fmt: skip
_CONTAINERS = {
    "List": "builtins.list",
    "Dict": "builtins.dict",
    "Set": "builtins.set",
    "FrozenSet": "builtins.frozenset",
    "Tuple": "builtins.tuple",
    "Deque": "collections.deque",
    "DefaultDict": "collections.defaultdict",
    "OrderedDict": "collections.OrderedDict",
    "Counter": "collections.Counter",
    "Text": "builtins.str",
}
_ITERATORS = frozenset({"Iterator", "Generator"})
_AWAITABLES = frozenset({"Awaitable", "Coroutine"})
_TYPING = ("typing.", "typing_extensions.", "collections.abc.")
_MAX_DEPTH = 12


class Annotations:
    """Reads annotations; results are kept by node, each of which stands in one scope."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self._known: dict[ast.expr, Types] = {}

    def read(self, expr: ast.expr | None, scope: Scope, depth: int = 0) -> Types:
        """The types an annotation allows, or None for anything."""
        if expr is None or depth > _MAX_DEPTH:
            return None
        if expr not in self._known:
            self._known[expr] = None
            self._known[expr] = self._read(expr, scope, depth + 1)
        return self._known[expr]

    def _read(self, expr: ast.expr, scope: Scope, depth: int) -> Types:
        if isinstance(expr, ast.Constant):
            if isinstance(expr.value, str):
                return self._text(expr.value, scope, depth)
            return of("builtins.NoneType") if expr.value is None else None
        if isinstance(expr, ast.BinOp) and isinstance(expr.op, ast.BitOr):
            return self._union([expr.left, expr.right], scope, depth)
        if isinstance(expr, ast.Subscript):
            return self._generic(expr, scope, depth)
        if isinstance(expr, ast.Name | ast.Attribute):
            return self._named(self.names.resolve(expr, scope), depth)
        return None

    def _text(self, text: str, scope: Scope, depth: int) -> Types:
        try:
            parsed = ast.parse(text.strip(), mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None
        return self.read(parsed, scope, depth)

    def _union(self, parts: list[ast.expr], scope: Scope, depth: int) -> Types:
        """Any of the parts, without None unless that is all there is."""
        none = of("builtins.NoneType")
        read = [self.read(part, scope, depth) for part in parts]
        return union(*(one for one in read if one != none)) if any(one != none for one in read) else none

    def _named(self, symbol: Symbol, depth: int) -> Types:
        if isinstance(symbol, ProjectClass):
            return frozenset({Type(f"{symbol.module}:{symbol.qualname}", (), symbol)})
        if isinstance(symbol, External):
            return self._external(symbol.qualified)
        if isinstance(symbol, ModuleValue):
            return self._alias(symbol, depth)
        return None

    def _external(self, qualified: str) -> Types:
        name = qualified.rpartition(".")[2]
        if name in _OPAQUE and qualified.startswith(("builtins.", *_TYPING)):
            return None
        if qualified.startswith(("typing.", "typing_extensions.")):
            return of(_CONTAINERS[name]) if name in _CONTAINERS else of(f"collections.abc.{name}")
        return of(qualified)

    def _alias(self, value: ModuleValue, depth: int) -> Types:
        """A module-level alias of a type, `NewType` included."""
        tree = self.names.module(value.module)
        if tree is None:
            return None
        expr = value.value
        if isinstance(expr, ast.Call) and len(expr.args) == 2:
            made = self.names.resolve(expr.func, tree.root)
            is_new = isinstance(made, External) and made.qualified == "typing.NewType"
            return self.read(expr.args[1], tree.root, depth) if is_new else None
        for binding in tree.root.bindings.get(value.name, ()):
            if binding.how is How.TYPE:
                expr = binding.value
        return self.read(expr, tree.root, depth)

    def _generic(self, expr: ast.Subscript, scope: Scope, depth: int) -> Types:
        args = list(expr.slice.elts) if isinstance(expr.slice, ast.Tuple) else [expr.slice]
        symbol = self.names.resolve(expr.value, scope)
        if isinstance(symbol, External):
            return self._generic_external(symbol.qualified, args, scope, depth)
        return self._named(symbol, depth)

    def _generic_external(self, qualified: str, args: list[ast.expr], scope: Scope, depth: int) -> Types:
        name = qualified.rpartition(".")[2]
        typing = qualified.startswith(_TYPING)
        if typing and name in ("Union", "Optional"):
            return self._union(args, scope, depth)
        if typing and name == "Literal":
            return union(*(_literal(arg) for arg in args))
        if typing and (name in _TRANSPARENT or name == "Annotated"):
            return self.read(args[0], scope, depth)
        if typing and name in _AWAITABLES:
            return of(AWAITABLE, self.read(args[-1] if name == "Coroutine" else args[0], scope, depth))
        base = self._external(qualified)
        if base is None:
            return None
        full = ITERATOR if typing and name in _ITERATORS else next(iter(base)).name
        if full == "builtins.tuple" and len(args) == 2 and _is_ellipsis(args[1]):
            return of("builtins.tuple", self.read(args[0], scope, depth))
        return of(full, *(self.read(arg, scope, depth) for arg in args))


def _literal(arg: ast.expr) -> Types:
    if isinstance(arg, ast.Constant):
        return of(f"builtins.{type(arg.value).__name__}")
    return None


def _is_ellipsis(arg: ast.expr) -> bool:
    return isinstance(arg, ast.Constant) and arg.value is ...
