"""The plan's data: what each function of a workflow becomes, node by node."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from flopod_compiler import ir
from flopod_compiler.analyse.scopes import Names
from flopod_compiler.analyse.state import State
from flopod_compiler.diagnostics import Diagnostic, Span
from flopod_compiler.model import WorkflowFunction
from flopod_compiler.sites import Site, SiteScope


@dataclass(eq=False, slots=True)
class FunctionPlan:
    """How one function is lowered. `root` is its outermost scope, `body` its IR."""

    function: WorkflowFunction
    names: Names
    state: State
    durable: set[ast.AST]
    root: SiteScope
    body: list[ir.Node] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Spread:
    """A `map` over a gather: the loop over its items, the call for each, and the variable of an item."""

    loop: Site
    each: Site
    inner: SiteScope
    item: str


@dataclass(eq=False, slots=True)
class Plan:
    """The lowering of one root workflow and of the functions nested in it.

    `sites` gives the id of a call, loop, branch or `match_case`; `scopes` the scope a node runs in;
    `loops` the scope that a loop or comprehension clause hands out; `counters` the variable of a
    `while`; `spreads` what becomes of `map` in a gather; `awaited` the calls that get an `await`;
    `doubtful` those that the author awaits without its being known that there is something to await;
    `prefixes` the operands of `and`/`or` whose left side is recorded; `taken` the pragmas that named
    something, with what they gave: `id` or `key`.
    """

    root: WorkflowFunction
    functions: dict[ast.AST, FunctionPlan] = field(default_factory=dict)
    sites: dict[ast.AST, Site] = field(default_factory=dict)
    scopes: dict[ast.AST, SiteScope] = field(default_factory=dict)
    loops: dict[ast.AST, SiteScope] = field(default_factory=dict)
    counters: dict[ast.AST, str] = field(default_factory=dict)
    awaited: set[ast.AST] = field(default_factory=set)
    doubtful: set[ast.AST] = field(default_factory=set)
    spreads: dict[ast.Call, Spread] = field(default_factory=dict)
    prefixes: dict[ast.expr, Site] = field(default_factory=dict)
    keys: dict[ast.AST, str] = field(default_factory=dict)
    variable_names: dict[tuple[ast.AST, str], Site] = field(default_factory=dict)
    taken: set[tuple[Span, str]] = field(default_factory=set)
    diagnostics: list[Diagnostic] = field(default_factory=list)
