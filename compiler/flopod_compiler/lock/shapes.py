"""What the lock has to know of a function, read off its plan: the shape of every site, and its constants."""

from __future__ import annotations

import ast

import msgspec

from flopod_compiler.model import CallInfo, Classified
from flopod_compiler.plan.model import FunctionPlan, Plan
from flopod_compiler.plan.naming import callee_of
from flopod_compiler.sites import OF_WORKFLOW, STATE, Shape, Site, SiteScope, shortened


class Described(msgspec.Struct, eq=False, array_like=True):
    """A workflow function by `module:qualname`; `root` is the function it is nested in, or itself."""

    key: str
    root: str
    file: str
    scope: SiteScope
    constants: list[str]


def describe(classified: Classified, plan: Plan) -> list[Described]:
    """The functions of a plan; their sites get their shapes."""
    nodes: dict[Site, ast.AST] = {site: node for node, site in plan.sites.items()}
    nodes |= {site: value for value, site in plan.prefixes.items()}
    for call, spread in plan.spreads.items():
        nodes |= {spread.loop: call, spread.each: call}
    return [_Reader(classified, plan, one, nodes).read() for one in plan.functions.values()]


class _Reader:
    def __init__(
        self, classified: Classified, plan: Plan, one: FunctionPlan, nodes: dict[Site, ast.AST]
    ) -> None:
        self._classified = classified
        self._plan = plan
        self._one = one
        self._nodes = nodes
        self._carried = ",".join(sorted(one.state.declared))
        self._index = one.names.index

    def read(self) -> Described:
        one, root = self._one, self._plan.root
        module = one.function.module
        for site in one.root.all():
            if site.kind not in STATE:
                site.shape = self._shape(site, self._nodes[site])
        key, above = (f"{each.module.name}:{each.qualname}" for each in (one.function, root))
        return Described(key, above, module.relpath, one.root, self._constants())

    def _shape(self, site: Site, node: ast.AST) -> Shape:
        info = None
        if isinstance(node, ast.Call) and site.kind != "loop":
            info = self._classified.calls.get(node)
        return Shape(
            kind=_kind(site, node, info),
            callee=callee_of(info) if info is not None else "",
            text=site.text,
            name=site.assigned or "",
            within=_within(node, self._index.parents),
            carries=self._carries(node) if site.kind == "loop" else "",
        )

    def _carries(self, node: ast.AST) -> str:
        keep = self._one.state.keep.get(node)
        return "-" if keep is None else f"{self._carried}|{','.join(keep)}"

    def _constants(self) -> list[str]:
        """What the function reads of modules, without the workflow functions nested in it."""
        own, index, known = self._one.function.node, self._index, self._classified.constants
        nested = [one for one in self._plan.functions if one is not own and index.within(one, own)]
        found = [one for one in index.below(own) if isinstance(one, ast.expr) and one in known]
        return sorted({known[one] for one in found if not any(index.within(one, each) for each in nested)})


def _kind(site: Site, node: ast.AST, info: CallInfo | None) -> str:
    if info is not None and info.scoped:
        return OF_WORKFLOW.get(site.kind, site.kind)
    if site.kind != "loop":
        return site.kind
    return "repeat" if isinstance(node, ast.While) else "each"


def _within(node: ast.AST, parents: dict[ast.AST, ast.AST]) -> str:
    """The header of the nearest statement around a call that says when it runs; "" in a loop or function."""
    child, above = node, parents.get(node)
    while above is not None:
        if isinstance(above, ast.For | ast.AsyncFor | ast.While | ast.FunctionDef | ast.AsyncFunctionDef):
            return ""
        header = _header(above, child)
        if header:
            return shortened(header)
        child, above = above, parents.get(above)
    return ""


def _header(node: ast.AST, child: ast.AST) -> str:
    match node:
        case ast.If() if child is not node.test:
            return f"{'else' if child in node.orelse else 'if'} {ast.unparse(node.test)}"
        case ast.Try():
            return "finally" if child in node.finalbody else "else" if child in node.orelse else "try"
        case ast.ExceptHandler():
            return f"except {ast.unparse(node.type)}" if node.type else "except"
        case ast.With() | ast.AsyncWith() if child in node.body:
            return f"with {', '.join(ast.unparse(item.context_expr) for item in node.items)}"
        case ast.match_case() if child in node.body:
            return f"case {ast.unparse(node.pattern)}"
    return ""
