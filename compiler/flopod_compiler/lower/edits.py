"""Edits by place: what the plan decided for `ast` nodes, found again for libcst nodes by their position."""

from __future__ import annotations

import ast
import io
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from typing import Any

from flopod_compiler.analyse.declared import Declared
from flopod_compiler.model import CallInfo, CallKind, Classified, SourceModule
from flopod_compiler.plan import FunctionPlan, Plan
from flopod_compiler.plan.model import Spread
from flopod_compiler.plan.naming import arm_words
from flopod_compiler.sites import Site

Place = tuple[int, int]
Extent = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class CallEdit:
    """A call and how it is lowered; `site` is None for gather, prints and logs.

    An `awaited` one gets an `await`; a `doubtful` one has one, and may give nothing to await.
    """

    node: ast.Call
    info: CallInfo
    site: Site | None
    scope: str
    awaited: bool
    doubtful: bool = False


@dataclass(frozen=True, slots=True)
class LoopEdit:
    """A durable loop or comprehension clause: the scope it takes, the one it hands out, what it keeps."""

    site: Site
    scope: str
    inner: str
    keep: tuple[str, ...] | None
    counter: str = ""
    endless: bool = False
    key: str = ""
    declared: tuple[Declared, ...] = ()


@dataclass(frozen=True, slots=True)
class FunctionEdit:
    """A function that takes a scope; `declared` are the variables made at its start."""

    scope: str
    is_root: bool
    declared: tuple[tuple[Declared, Site], ...]


@dataclass(eq=False, slots=True)
class Edits:
    """Every edit of one module, by the place of its node (lines 1-based, columns in code points)."""

    calls: dict[Extent, CallEdit] = field(default_factory=dict)
    loops: dict[Place, LoopEdit] = field(default_factory=dict)
    clauses: dict[Place, LoopEdit] = field(default_factory=dict)
    branches: dict[Place, tuple[Site, str]] = field(default_factory=dict)
    ternaries: dict[Extent, tuple[Site, str]] = field(default_factory=dict)
    prefixes: dict[Extent, tuple[Site, str]] = field(default_factory=dict)
    matches: dict[Place, tuple[Site, str, list[str]]] = field(default_factory=dict)
    functions: dict[Place, FunctionEdit] = field(default_factory=dict)
    names: set[Place] = field(default_factory=set)
    declarations: dict[Place, tuple[Declared, Site]] = field(default_factory=dict)
    constants: dict[Extent, tuple[str, str]] = field(default_factory=dict)
    spreads: dict[Extent, tuple[Spread, str]] = field(default_factory=dict)
    sites: dict[tuple[ast.AST, str], Site] = field(default_factory=dict)

    def places(self) -> set[Place]:
        """Where what is to be edited begins."""
        every: list[Iterable[Place | Extent]] = [
            getattr(self, one.name) for one in fields(self) if one.name != "sites"
        ]
        return {(place[0], place[1]) for some in every for place in some}

    def between(self, first: int, last: int) -> Edits:
        """The edits on some lines, with their places counted from the first of these."""
        found = Edits(
            names={_moved(place, first) for place in self.names if first <= place[0] <= last},
            sites={key: site for key, site in self.sites.items() if first <= _line(key[0]) <= last},
        )
        for one in fields(self):
            if one.name not in ("names", "sites"):
                mine: dict[Place | Extent, object] = getattr(self, one.name)
                theirs = getattr(found, one.name)
                theirs |= {
                    _moved(place, first): edit for place, edit in mine.items() if first <= place[0] <= last
                }
        return found


def _line(node: ast.AST) -> int:
    return getattr(node, "lineno", 0)


def _moved(place: Any, first: int) -> Any:
    """A place or extent with its lines counted from `first`."""
    return tuple(one - first + 1 if index % 2 == 0 else one for index, one in enumerate(place))


def split_lines(text: str) -> list[str]:
    """Lines with their ends, split where Python's tokenizer does; a form feed ends no line."""
    return list(io.StringIO(text, newline=""))


class Columns:
    """Converts the byte columns of `ast` to code points, line by line."""

    def __init__(self, module: SourceModule) -> None:
        self._lines = split_lines(module.text)
        self._plain = module.text.isascii()

    def place(self, line: int, column: int) -> Place:
        if self._plain:
            return line, column
        return line, len(self._lines[line - 1].encode()[:column].decode(errors="replace"))

    def start(self, node: ast.AST) -> Place:
        return self.place(node.lineno, node.col_offset)  # type: ignore[attr-defined]

    def extent(self, node: ast.AST) -> Extent:
        end = self.place(node.end_lineno, node.end_col_offset)  # type: ignore[attr-defined]
        return (*self.start(node), *end)


def anchor(target: ast.expr) -> ast.expr:
    """The node by whose start a loop target is found: a parenthesised tuple is known by its first element."""
    while isinstance(target, ast.Tuple) and target.elts:
        target = target.elts[0]
    return target.value if isinstance(target, ast.Starred) else target


def collect_edits(classified: Classified, plans: list[Plan]) -> Edits:
    """The edits of the planned workflows of one module."""
    edits = Edits()
    for plan in plans:
        _collect(classified, plan, edits)
        for (_, name), site in plan.variable_names.items():
            for function in plan.functions.values():
                declared = function.state.declared.get(name)
                if declared is not None:
                    edits.sites.setdefault((declared.block, name), site)
    return edits


def _collect(classified: Classified, plan: Plan, edits: Edits) -> None:
    columns = Columns(plan.root.module)
    for node, function in plan.functions.items():
        _function(plan, function, node, columns, edits)
    for node, site in plan.sites.items():
        _site(plan, node, site, columns, edits)
    for value, site in plan.prefixes.items():
        edits.prefixes[columns.extent(value)] = (site, site.variable)
    for call, spread in plan.spreads.items():
        edits.spreads[columns.extent(call)] = (spread, spread.loop.variable)
    for node in plan.functions[plan.root.node].names.index.nodes:
        scope = plan.scopes.get(node)
        if isinstance(node, ast.Call) and node in classified.calls and scope is not None:
            info, known = classified.calls[node], plan.sites.get(node)
            awaited = node in plan.awaited
            if info.kind is CallKind.PURE and known is None and not awaited:
                continue
            doubtful = node in plan.doubtful
            edit = CallEdit(node, info, known, scope.variable, awaited, doubtful)
            edits.calls[columns.extent(node)] = edit
        if isinstance(node, ast.expr) and node in classified.constants and scope is not None:
            edits.constants[columns.extent(node)] = (classified.constants[node], scope.variable)


def _function(plan: Plan, one: FunctionPlan, node: ast.AST, columns: Columns, edits: Edits) -> None:
    scope = one.names.scopes[node]
    declared = [(variable, plan.variable_names[node, name]) for name, variable in one.state.declared.items()]
    starts = tuple(pair for pair in declared if pair[0].statement is None and pair[0].block is node)
    edits.functions[columns.start(node)] = FunctionEdit(one.root.variable, node is plan.root.node, starts)
    for variable, site in declared:
        if variable.statement is not None:
            target = getattr(variable.statement, "target", None) or variable.statement.targets[0]  # type: ignore[attr-defined]
            edits.declarations[columns.start(target)] = (variable, site)
    shared = {variable.name for variable, _ in declared if variable.form == "var"}
    for occurrence, owner in one.names.of.items():
        if owner is scope and occurrence.id in shared:
            edits.names.add(columns.start(occurrence))


def _site(plan: Plan, node: ast.AST, site: Site, columns: Columns, edits: Edits) -> None:
    if isinstance(node, ast.For | ast.AsyncFor | ast.While):
        edits.loops[columns.start(node)] = _loop(plan, node, site)
    elif isinstance(node, ast.comprehension):
        place = columns.start(anchor(node.target))
        edits.clauses[place] = _loop(plan, node, site)
    elif isinstance(node, ast.If):
        edits.branches[columns.start(node)] = (site, site.variable)
    elif isinstance(node, ast.IfExp):
        edits.ternaries[columns.extent(node)] = (site, site.variable)
    elif isinstance(node, ast.Match):
        edits.matches[columns.start(node)] = (site, site.variable, arm_words(node))


def _loop(plan: Plan, node: ast.For | ast.AsyncFor | ast.While | ast.comprehension, site: Site) -> LoopEdit:
    keep: tuple[str, ...] | None = None
    declared: list[Declared] = []
    for one in plan.functions.values():
        if node in one.state.keep:
            keep = one.state.keep[node]
        declared += [
            each for each in one.state.declared.values() if each.block is node and each.statement is None
        ]
    endless = isinstance(node, ast.While) and isinstance(node.test, ast.Constant) and bool(node.test.value)
    return LoopEdit(
        site,
        plan.scopes[node].variable,
        plan.loops[node].variable,
        keep,
        plan.counters.get(node, ""),
        endless,
        plan.keys.get(node, ""),
        tuple(declared),
    )
