"""What depends on the addresses of objects: the order of some sets, and the default `repr`."""

from __future__ import annotations

import ast

from flopod_compiler.classify.review.places import Places
from flopod_compiler.classify.workspace import Workspace
from flopod_compiler.diagnostics.rules.identity import AddressOrder, DefaultRepr
from flopod_compiler.model import External, ProjectClass, WorkflowFunction
from flopod_compiler.names import Scope
from flopod_compiler.parse import shortened
from flopod_compiler.types.model import Types

_SETS = frozenset({"builtins.set", "builtins.frozenset"})
_ORDERED = frozenset(
    f"builtins.{name}" for name in ("list", "tuple", "iter", "enumerate", "zip", "map", "filter", "sum")
)
_UNORDERED = frozenset(
    f"builtins.{name}" for name in ("any", "all", "len", "set", "frozenset", "min", "max", "sum")
)
_SHOWING = frozenset({"builtins.str", "builtins.repr", "builtins.format", "builtins.ascii"})


def review_order(work: Workspace, workflow: WorkflowFunction, places: Places) -> None:
    """Look at every iteration, and everything that is turned into text."""
    for scope in work.scopes(workflow):
        for node in scope.others:
            if isinstance(node, ast.For):
                _iterated(work, workflow, node.iter, scope)
        _comprehension(work, workflow, places, scope)
        for call in scope.calls:
            _call(work, workflow, places, call, scope)
    for shown in places.all(ast.FormattedValue):
        inner = work.names.tree(workflow.node).inner.get(shown, work.names.scope(workflow.node))
        _shown(work, workflow, shown.value, inner)


def _comprehension(work: Workspace, workflow: WorkflowFunction, places: Places, scope: Scope) -> None:
    node = scope.node
    if not isinstance(node, ast.ListComp | ast.DictComp | ast.GeneratorExp) or scope.parent is None:
        return
    outer = places.parent(node)
    info = places.calls.get(outer) if isinstance(outer, ast.Call) else None
    if info is not None and info.callee in _UNORDERED:
        return
    for index, generator in enumerate(node.generators):
        _iterated(work, workflow, generator.iter, scope if index else scope.parent)


def _call(work: Workspace, workflow: WorkflowFunction, places: Places, call: ast.Call, scope: Scope) -> None:
    info = places.calls.get(call)
    if info is None:
        return
    if info.callee in _ORDERED:
        for argument in call.args:
            value = argument.value if isinstance(argument, ast.Starred) else argument
            _iterated(work, workflow, value, scope)
    elif info.callee in _SHOWING and len(call.args) == 1:
        _shown(work, workflow, call.args[0], scope)
    elif isinstance(call.func, ast.Attribute) and call.func.attr == "pop" and not call.args:
        _iterated(work, workflow, call.func.value, scope)


def _iterated(work: Workspace, workflow: WorkflowFunction, value: ast.expr, scope: Scope) -> None:
    for one in work.types.of(value, scope) or ():
        if one.name in _SETS and one.args:
            cls = _by_address(work, one.args[0], ("__hash__", "__eq__"))
            if cls is not None:
                name = cls.node.name
                work.report(AddressOrder, workflow.module, value, text=shortened(value), cls=name)
                return


def _shown(work: Workspace, workflow: WorkflowFunction, value: ast.expr, scope: Scope) -> None:
    cls = _by_address(work, work.types.of(value, scope), ("__repr__", "__str__", "__format__"))
    if cls is not None:
        work.report(DefaultRepr, workflow.module, value, text=shortened(value), cls=cls.node.name)


def _by_address(work: Workspace, types: Types, methods: tuple[str, ...]) -> ProjectClass | None:
    """The class among some types whose instances have only the methods of `object` for something."""
    for one in types or ():
        if (
            one.cls is not None
            and not work.types.classes.is_data(one.cls)
            and _is_bare(work, one.cls, methods)
        ):
            return one.cls
    return None


def _is_bare(work: Workspace, cls: ProjectClass, methods: tuple[str, ...]) -> bool:
    if cls.node.decorator_list or any(keyword.arg == "metaclass" for keyword in cls.node.keywords):
        return False
    for base in work.names.mro(cls):
        if isinstance(base, ProjectClass):
            if base.node.decorator_list or set(methods) & set(work.names.class_scope(base).bindings):
                return False
        elif not isinstance(base, External) or base.qualified != "builtins.object":
            return False
    return True
