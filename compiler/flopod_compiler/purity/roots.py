"""Which parameters or module variables an expression may share objects with, by its names and no flow."""

from __future__ import annotations

import ast
from collections.abc import Container, Iterator
from typing import TypeAlias

from flopod_compiler.model import External, FunctionNode, Local, ModuleValue, ProjectClass, ProjectFunction
from flopod_compiler.names import Binding, How, Names, Scope
from flopod_compiler.purity.binding import bind_arguments, default_of
from flopod_compiler.types import Inference

Roots: TypeAlias = "frozenset[tuple[str, int]]"
"""Pairs of a root and a level: 0 when the value may be the root's object or inside it, 1 when it only holds
such objects (`list(xs)`). A root is a parameter's name, `*` (anything reachable), `@module.NAME`, or
``@the default of `xs` in f``, an object that is made once and belongs to the module like one with a name.
"""

NONE: Roots = frozenset()
ANYTHING = "*"
MODULE = "@"
DEFAULT = f"{MODULE}the default of "

_COPIES = "list dict set frozenset tuple sorted reversed enumerate zip iter map filter"
_COPYING = frozenset(f"builtins.{name}" for name in _COPIES.split()) | {
    "copy.copy",
    "collections.deque",
    "collections.OrderedDict",
    "collections.Counter",
    "itertools.chain",
}
_FRESH = frozenset({"copy.deepcopy", "json.loads", "json.dumps"})
_MAX_DEPTH = 30


class RootFinder:
    """Finds roots within one function, whose parameters are the roots that callers know.

    `recorded` are calls whose result is read from the log: a new value, whatever they were given.
    """

    def __init__(
        self, names: Names, types: Inference, function: Scope, recorded: Container[ast.Call] = ()
    ) -> None:
        self._recorded = recorded
        self.names = names
        self.types = types
        self.function = function
        self._known: dict[tuple[Scope, str], Roots] = {}
        self._depth = 0

    def of(self, expr: ast.expr, scope: Scope) -> Roots:
        """The roots of an expression that stands in `scope`."""
        if self._depth > _MAX_DEPTH:
            return frozenset({(ANYTHING, 0)})
        self._depth += 1
        try:
            found = self._of(expr, scope)
        finally:
            self._depth -= 1
        if found and self.types.classes.is_immutable(self.types.of(expr, scope)):
            return NONE
        return found

    def changed(self, expr: ast.expr, scope: Scope) -> frozenset[str]:
        """The roots that an in-place change of the expression's value changes."""
        return frozenset(root for root, level in self.of(expr, scope) if level == 0)

    def _of(self, expr: ast.expr, scope: Scope) -> Roots:
        if isinstance(expr, ast.Name):
            return self._name(expr, scope)
        if isinstance(expr, ast.Attribute):
            module = self.names.resolve(expr, scope)
            if isinstance(module, ModuleValue):
                return frozenset({(f"{MODULE}{module.module}.{module.name}", 0)})
            return _inside(self.of(expr.value, scope))
        if isinstance(expr, ast.Subscript):
            found = self.of(expr.value, scope)
            return found if isinstance(expr.slice, ast.Slice) else _inside(found)
        if isinstance(expr, ast.Call):
            return self._call(expr, scope)
        if isinstance(expr, ast.Await | ast.Starred | ast.NamedExpr | ast.YieldFrom):
            return self.of(expr.value, scope)
        if isinstance(expr, ast.IfExp):
            return self.of(expr.body, scope) | self.of(expr.orelse, scope)
        if isinstance(expr, ast.BoolOp):
            return self._all(expr.values, scope)
        if isinstance(expr, ast.BinOp):
            return _held(self.of(expr.left, scope) | self.of(expr.right, scope))
        if isinstance(expr, ast.List | ast.Tuple | ast.Set):
            return _held(self._all(expr.elts, scope))
        if isinstance(expr, ast.Dict):
            return _held(self._all([one for one in (*expr.keys, *expr.values) if one is not None], scope))
        if isinstance(expr, ast.ListComp | ast.SetComp | ast.GeneratorExp):
            return _held(self.of(expr.elt, self.names.scope(expr)))
        if isinstance(expr, ast.DictComp):
            return _held(self.of(expr.value, self.names.scope(expr)))
        return NONE

    def _all(self, exprs: list[ast.expr], scope: Scope) -> Roots:
        return NONE.union(*(self.of(one, scope) for one in exprs))

    def _call(self, expr: ast.Call, scope: Scope) -> Roots:
        if expr in self._recorded:
            return NONE
        arguments = self._all([*expr.args, *(keyword.value for keyword in expr.keywords)], scope)
        symbol = self.names.resolve(expr.func, scope)
        if isinstance(symbol, External):
            if symbol.qualified in _FRESH:
                return NONE
            return _held(arguments) if symbol.qualified in _COPYING else _inside(arguments)
        if isinstance(symbol, ProjectClass):
            return _held(arguments | self._defaults_kept(symbol, expr))
        if isinstance(expr.func, ast.Attribute):
            receiver = self.of(expr.func.value, scope)
            return (_held(receiver) if expr.func.attr == "copy" else _inside(receiver)) | arguments
        return arguments

    def _name(self, expr: ast.Name, scope: Scope) -> Roots:
        symbol = self.names.resolve(expr, scope)
        if isinstance(symbol, ModuleValue):
            return frozenset({(f"{MODULE}{symbol.module}.{symbol.name}", 0)})
        if isinstance(symbol, ProjectClass):
            return frozenset({(f"{MODULE}{symbol.module}.{symbol.qualname}", 0)})
        if not isinstance(symbol, Local):
            return NONE
        owner, bindings = self.names.lookup(expr.id, scope)
        if owner is None:
            return NONE
        key = (owner, expr.id)
        if key not in self._known:
            self._known[key] = NONE
            self._known[key] = self._variable(owner, expr.id, bindings)
        return self._known[key]

    def _variable(self, owner: Scope, name: str, bindings: list[Binding]) -> Roots:
        if not self._is_inside(owner):
            return frozenset({(ANYTHING, 0)})
        found = NONE
        for binding in bindings:
            if binding.how is How.PARAMETER:
                found |= self._parameter(name) if owner is self.function else {(ANYTHING, 0)}
            elif binding.value is not None and binding.how not in (How.EXCEPT, How.AUGMENT):
                roots = self.of(binding.value, binding.scope)
                plain = binding.how is How.ASSIGN and not binding.path
                found |= roots if plain else _inside(roots)
            elif binding.how is How.MATCH:
                found |= self._subject(owner, binding)
        return found

    def _parameter(self, name: str) -> Roots:
        function, outside = self.function.node, self.function.parent
        if not isinstance(function, FunctionNode) or outside is None or outside.is_function:
            return frozenset({(name, 0)})
        default = default_of(function, name)
        if default is None or _is_rebound(function, name) or not self._can_change(default, outside):
            return frozenset({(name, 0)})
        return frozenset({(name, 0), _default_root(name, function)})

    def _defaults_kept(self, cls: ProjectClass, call: ast.Call) -> Roots:
        """The default values that a new object keeps in its attributes: `self.items = items`."""
        init = self.names.class_member(cls, "__init__")
        if not isinstance(init, ProjectFunction):
            return NONE
        scope = self.names.scope(init.node)
        given = bind_arguments(call, init.node, None, shifted=True)
        kept = (name for name in _names_kept(init.node) if name not in given)
        defaults = {name: default_of(init.node, name) for name in kept}
        return frozenset(
            _default_root(name, init.node)
            for name, default in defaults.items()
            if default is not None and self._can_change(default, scope.parent or scope)
        )

    def _can_change(self, default: ast.expr, outside: Scope) -> bool:
        types = self.types.of(default, outside)
        if not types or self.types.classes.is_immutable(types):
            return False
        return all(one.cls is not None or one.name != "builtins.object" for one in types)

    def _subject(self, owner: Scope, binding: Binding) -> Roots:
        """A capture of `match` may be anything inside its subject; the subject is found by its statement."""
        tree = self.names.tree_holding(self.function)
        node: ast.AST | None = binding.node
        while node is not None and not isinstance(node, ast.Match):
            node = tree.parents.get(node)
        return _inside(self.of(node.subject, owner)) if isinstance(node, ast.Match) else NONE

    def _is_inside(self, scope: Scope) -> bool:
        current: Scope | None = scope
        while current is not None:
            if current is self.function:
                return True
            current = current.parent
        return False


def _default_root(name: str, function: FunctionNode) -> tuple[str, int]:
    return f"{DEFAULT}`{name}` in {function.name}", 0


def _names_kept(function: FunctionNode) -> Iterator[str]:
    for statement in function.body:
        match statement:
            case ast.Assign(targets=[ast.Attribute()], value=ast.Name(id=name)):
                yield name
            case ast.AnnAssign(target=ast.Attribute(), value=ast.Name(id=name)):
                yield name


def _is_rebound(function: FunctionNode, name: str) -> bool:
    """Whether the function always puts another value into a parameter: `xs = list(xs)`."""
    return any(
        isinstance(target, ast.Name) and target.id == name
        for statement in function.body
        if isinstance(statement, ast.Assign)
        for target in statement.targets
    )


def _inside(roots: Roots) -> Roots:
    """What is reached through one attribute, item or element."""
    return frozenset((root, 0) for root, _ in roots)


def _held(roots: Roots) -> Roots:
    """A fresh container that holds the values."""
    return frozenset((root, 1) for root, _ in roots)
