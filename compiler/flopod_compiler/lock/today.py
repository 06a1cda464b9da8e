"""Today's call sites as the lock sees them: read off the plans, in the order of the source."""

from __future__ import annotations

import ast
import hashlib
from dataclasses import dataclass, field

from flopod_compiler.ids import STATE, Site, SiteScope
from flopod_compiler.lock.model import Shape
from flopod_compiler.model import Classified
from flopod_compiler.plan.model import FunctionPlan, Plan
from flopod_compiler.plan.naming import callee_of

_WIDTH = 120


@dataclass(eq=False, slots=True)
class Call:
    """One site of today. `inner` is the scope that a loop hands out; `line` where it stands.

    Calls that look the same and follow each other are a `run`, with the place of the first as its number.
    """

    site: Site
    shape: Shape
    line: int
    inner: Scope | None = None
    place: int = 0
    run: int = 0

    def looks(self) -> list[Shape]:
        """The shapes of the call and of all that is in a loop."""
        return [self.shape, *(one.shape for one in self.inner.all())] if self.inner else [self.shape]


@dataclass(eq=False, slots=True)
class Scope:
    """The calls of one scope in the order of their sites."""

    site_scope: SiteScope
    calls: list[Call] = field(default_factory=list)

    def all(self) -> list[Call]:
        """These calls and those of the scopes inside, outermost first."""
        found: list[Call] = []
        for call in self.calls:
            found.append(call)
            if call.inner is not None:
                found += call.inner.all()
        return found


@dataclass(eq=False, slots=True)
class Function:
    """A workflow function of today by `module:qualname`; `root` is the function it is nested in."""

    key: str
    root: str
    scope: Scope
    constants: list[str]
    file: str


def describe(classified: Classified, plans: list[Plan]) -> dict[str, Function]:
    """Every function that the plans lower, by its key `module:qualname`."""
    found: dict[str, Function] = {}
    for plan in plans:
        for one in plan.functions.values():
            function = _Reader(classified, plan, one).read()
            found[function.key] = function
    return found


class _Reader:
    def __init__(self, classified: Classified, plan: Plan, one: FunctionPlan) -> None:
        self._classified = classified
        self._plan = plan
        self._one = one
        self._carried = ",".join(sorted(one.state.declared))
        self._index = one.names.index

    def read(self) -> Function:
        one, root = self._one, self._plan.root
        module = one.function.module
        key, above = (f"{each.module.name}:{each.qualname}" for each in (one.function, root))
        return Function(key, above, self._scope(one.root), self._constants(), module.relpath)

    def _scope(self, scope: SiteScope) -> Scope:
        found = Scope(scope)
        for site in scope.sites:
            if site.kind not in STATE:
                call = Call(site, self._shape(site), getattr(site.node, "lineno", 0))
                call.inner = self._scope(site.inner) if site.inner is not None else None
                found.calls.append(call)
        _number([call for call in found.calls if call.shape.kind != "branch"])
        return found

    def _shape(self, site: Site) -> Shape:
        node = site.node
        info = None
        if isinstance(node, ast.Call) and site.kind != "loop":
            info = self._classified.calls.get(node)
        return Shape(
            kind=_kind(site),
            callee=callee_of(info) if info is not None else "",
            text=_text(site),
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


def _number(calls: list[Call]) -> None:
    before: Call | None = None
    for place, call in enumerate(calls):
        same = before is not None and before.looks() == call.looks()
        call.place, call.run = place, before.run if before is not None and same else place
        before = call


def _kind(site: Site) -> str:
    if site.kind != "loop":
        return site.kind
    return "repeat" if isinstance(site.node, ast.While) else "each"


def _text(site: Site) -> str:
    node = site.node
    if isinstance(node, ast.Call):
        return _short(", ".join(ast.unparse(one) for one in [*node.args, *node.keywords]))
    if isinstance(node, ast.For | ast.AsyncFor | ast.comprehension):
        return _short(ast.unparse(node.iter))
    if isinstance(node, ast.If | ast.While | ast.IfExp):
        return _short(ast.unparse(node.test))
    if isinstance(node, ast.Match):
        return _short(ast.unparse(node.subject))
    return site.op


def _short(text: str) -> str:
    """The text, or of a long one its beginning and a digest of the rest."""
    if len(text) <= _WIDTH:
        return text
    return f"{text[: _WIDTH - 10]}…{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def _within(node: ast.AST, parents: dict[ast.AST, ast.AST]) -> str:
    """The header of the nearest statement around a call that says when it runs; "" in a loop or function."""
    child, above = node, parents.get(node)
    while above is not None:
        if isinstance(above, ast.For | ast.AsyncFor | ast.While | ast.FunctionDef | ast.AsyncFunctionDef):
            return ""
        header = _header(above, child)
        if header:
            return _short(header)
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
