"""The methods that Python itself calls: which values' methods an operator, a test or a builtin runs."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from flopod_compiler.names import Scope
from flopod_compiler.types.model import Type, Types


class Reach(Enum):
    """Whose methods are run: of the value, of its elements, or of all that it holds and of itself."""

    ITSELF = "itself"
    ELEMENTS = "elements"
    WITHIN = "within"


@dataclass(frozen=True, slots=True)
class Use:
    """A place that runs, of the values an expression reaches, the first of these methods that there is."""

    node: ast.AST
    verb: str
    expr: ast.expr
    names: tuple[str, ...]
    reach: Reach = Reach.ITSELF


_TRUTH = ("__bool__", "__len__")
_SHOWN: dict[int, tuple[str, ...]] = {
    114: ("__repr__",),
    97: ("__repr__",),
    115: ("__str__", "__repr__"),
    -1: ("__format__", "__str__", "__repr__"),
}
_UNARY: dict[type[ast.unaryop], str] = {
    ast.USub: "__neg__",
    ast.UAdd: "__pos__",
    ast.Invert: "__invert__",
}
_COMPARED: dict[type[ast.cmpop], tuple[tuple[str, ...], tuple[str, ...]]] = {
    ast.Eq: (("__eq__",), ("__eq__",)),
    ast.NotEq: (("__ne__", "__eq__"), ("__ne__", "__eq__")),
    ast.Lt: (("__lt__",), ("__gt__",)),
    ast.LtE: (("__le__",), ("__ge__",)),
    ast.Gt: (("__gt__",), ("__lt__",)),
    ast.GtE: (("__ge__",), ("__le__",)),
}
_HASHED: tuple[tuple[str, ...], ...] = (("__hash__",), ("__eq__",))
_ORDERED: tuple[tuple[str, ...], ...] = (("__lt__",), ("__gt__",))
_TESTED = (ast.If, ast.While, ast.IfExp, ast.Assert)
_SURE = (ast.Compare, ast.BoolOp, ast.Constant)

_Methods = tuple[tuple[str, ...], ...]
_EACH: dict[str, _Methods] = {
    **dict.fromkeys(("builtins.sorted", "builtins.min", "builtins.max", "heapq.heapify"), _ORDERED),
    **dict.fromkeys(("heapq.nlargest", "heapq.nsmallest", "heapq.merge"), _ORDERED),
    **dict.fromkeys(("heapq.heappush", "heapq.heappop", "heapq.heapreplace", "heapq.heappushpop"), _ORDERED),
    **dict.fromkeys([f"bisect.{name}" for name in ("bisect", "bisect_left", "bisect_right")], _ORDERED),
    **dict.fromkeys([f"bisect.{name}" for name in ("insort", "insort_left", "insort_right")], _ORDERED),
    **dict.fromkeys(("builtins.any", "builtins.all", "builtins.filter"), (_TRUTH,)),
    **dict.fromkeys(("builtins.set", "builtins.frozenset", "builtins.dict.fromkeys"), _HASHED),
    **dict.fromkeys(("collections.Counter",), _HASHED),
    "builtins.sum": (("__radd__",), ("__add__",)),
}
"""What functions run of the elements of their arguments."""

_ARGUMENTS: dict[str, _Methods] = {
    **dict.fromkeys([one for one in _EACH if one.startswith(("heapq.", "bisect."))], _ORDERED),
    **dict.fromkeys(("builtins.round",), (("__round__",),)),
    **dict.fromkeys(("builtins.divmod",), (("__divmod__",), ("__rdivmod__",))),
}
"""What functions run of their arguments themselves."""

_SHOWING = {
    "builtins.str": _SHOWN[115],
    "builtins.print": _SHOWN[115],
    "builtins.repr": _SHOWN[114],
    "builtins.ascii": _SHOWN[114],
    "builtins.format": _SHOWN[-1],
}
_VARIADIC = frozenset({"builtins.min", "builtins.max"})
_DEEPEST = 4
_FINDING = frozenset({"index", "remove", "count"})
_KEYED = frozenset({"add", "discard", "remove", "get", "pop", "setdefault", "move_to_end"})
_ITERATING = frozenset({"join", "extend", "extendleft", "update", "union", "intersection", "difference"})


def uses_of(node: ast.AST) -> Iterator[Use]:
    """What an operator, a test, a display or an f-string runs."""
    if isinstance(node, _TESTED):
        yield from _truth(node.test)
    elif isinstance(node, ast.BoolOp):
        for value in node.values[:-1]:
            yield from _truth(value)
    elif isinstance(node, ast.UnaryOp):
        yield from _unary(node)
    elif isinstance(node, ast.comprehension):
        for test in node.ifs:
            yield from _truth(test)
    elif isinstance(node, ast.Compare):
        yield from _comparison(node)
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
        yield from _formatted(node, node.left, node.right)
    elif isinstance(node, ast.FormattedValue):
        yield from _shown(node.value, "formatting", node.value, _SHOWN[node.conversion])
    elif isinstance(node, ast.Dict | ast.Set):
        for key in node.keys if isinstance(node, ast.Dict) else node.elts:
            yield from _hashed(node, key)
    elif isinstance(node, ast.Starred | ast.Assign):
        yield Use(node, "unpacking", node.value, ("__iter__",))
    elif isinstance(node, ast.Await):
        yield Use(node, "awaiting", node.value, ("__await__",))


def uses_of_scope(scope: Scope) -> Iterator[Use]:
    """What a comprehension runs of the elements that it makes."""
    if isinstance(scope.node, ast.SetComp):
        yield from _hashed(scope.node.elt, scope.node.elt)
    elif isinstance(scope.node, ast.DictComp):
        yield from _hashed(scope.node.key, scope.node.key)


def uses_of_subscript(node: ast.Subscript) -> Iterator[Use]:
    """What finding an item runs of its key."""
    if not isinstance(node.slice, ast.Slice):
        yield from _hashed(node, node.slice)


def uses_of_function(call: ast.Call, qualified: str) -> Iterator[Use]:
    """What a function outside the project runs of its arguments and their elements."""
    verb = f"{qualified.removeprefix('builtins.')}() of"
    values = [one.value if isinstance(one, ast.Starred) else one for one in call.args]
    for value in values:
        if qualified in _SHOWING:
            yield from _shown(call, verb, value, _SHOWING[qualified])
        for names in _ARGUMENTS.get(qualified, ()):
            yield Use(call, verb, value, names)
        if not _has_key(call):
            single = Reach.ITSELF if len(call.args) > 1 and qualified in _VARIADIC else Reach.ELEMENTS
            for names in _EACH.get(qualified, ()):
                yield Use(call, verb, value, names, single)


def uses_of_method(call: ast.Call, func: ast.Attribute) -> Iterator[Use]:
    """What a method of a builtin container or text runs of its arguments and of what it holds."""
    name = func.attr
    verb = f"{name}() of"
    if name == "sort" and not _has_key(call):
        for names in _ORDERED:
            yield Use(call, verb, func.value, names, Reach.ELEMENTS)
    if name in _FINDING:
        yield Use(call, verb, func.value, ("__eq__",), Reach.ELEMENTS)
    for place, value in enumerate(call.args):
        if name in _FINDING:
            yield Use(call, verb, value, ("__eq__",))
        if name in _KEYED and place == 0:
            yield from _hashed(call, value)
        if name in _ITERATING:
            yield Use(call, verb, value, ("__iter__",))
        if name == "format":
            yield from _shown(call, verb, value, _SHOWN[-1])


def reached(types: Types, reach: Reach, depth: int = 0) -> Iterator[Type]:
    """The types that a value reaches; what is not known is left out."""
    for one in types or ():
        if reach is not Reach.ELEMENTS:
            yield one
        if reach is not Reach.ITSELF and one.cls is None and depth < _DEEPEST:
            held = one.args[:1] if reach is Reach.ELEMENTS and "dict" in one.name else one.args
            for inner in held:
                yield from reached(inner, Reach.WITHIN if reach is Reach.WITHIN else Reach.ITSELF, depth + 1)


def _has_key(call: ast.Call) -> bool:
    return any(one.arg == "key" for one in call.keywords)


def _truth(expr: ast.expr) -> Iterator[Use]:
    if not isinstance(expr, _SURE):
        yield Use(expr, "testing", expr, _TRUTH)


def _hashed(node: ast.AST, key: ast.expr | None) -> Iterator[Use]:
    if key is not None and not isinstance(key, ast.Constant):
        for names in _HASHED:
            yield Use(node, "hashing", key, names, Reach.WITHIN)


def _shown(node: ast.AST, verb: str, expr: ast.expr, names: tuple[str, ...]) -> Iterator[Use]:
    if not isinstance(expr, ast.Constant):
        yield Use(node, verb, expr, names)
        yield Use(node, verb, expr, ("__repr__",), Reach.ELEMENTS)


def _formatted(node: ast.AST, text: ast.expr, values: ast.expr) -> Iterator[Use]:
    if isinstance(text, ast.Constant | ast.JoinedStr):
        yield from _shown(node, "formatting", values, _SHOWN[115])
        if isinstance(values, ast.Tuple):
            for value in values.elts:
                yield from _shown(node, "formatting", value, _SHOWN[115])


def _unary(node: ast.UnaryOp) -> Iterator[Use]:
    if isinstance(node.op, ast.Not):
        yield from _truth(node.operand)
    else:
        yield Use(node, "the operator on", node.operand, (_UNARY[type(node.op)],))


def _comparison(node: ast.Compare) -> Iterator[Use]:
    left = node.left
    for operator, right in zip(node.ops, node.comparators, strict=True):
        if isinstance(operator, ast.In | ast.NotIn):
            yield Use(node, "comparing", right, ("__contains__", "__iter__", "__getitem__"))
            yield Use(node, "comparing", right, ("__eq__",), Reach.ELEMENTS)
            yield Use(node, "comparing", left, ("__eq__",))
        elif type(operator) in _COMPARED:
            mine, other = _COMPARED[type(operator)]
            yield Use(node, "comparing", left, mine, Reach.WITHIN)
            yield Use(node, "comparing", right, other, Reach.WITHIN)
        left = right
