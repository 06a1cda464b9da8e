"""Today's call sites as the lock sees them, in the order of the source."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from flopod_compiler.lock.shapes import Described
from flopod_compiler.sites import STATE, Shape, Site, SiteScope


@dataclass(eq=False, slots=True)
class Call:
    """One site of today in its scope. `inner` is the scope that a loop hands out.

    Calls that look the same and follow each other are a `run`, with the place of the first as its number.
    """

    site: Site
    scope: SiteScope
    inner: Scope | None = None
    place: int = 0
    run: int = 0

    @property
    def shape(self) -> Shape:
        return self.site.shape

    @property
    def line(self) -> int:
        return self.site.line

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


def functions_of(described: Iterable[Described]) -> dict[str, Function]:
    """The functions by their keys."""
    return {
        one.key: Function(one.key, one.root, _scope(one.scope), one.constants, one.file) for one in described
    }


def _scope(scope: SiteScope) -> Scope:
    found = Scope(scope)
    for site in scope.sites:
        if site.kind not in STATE:
            inner = _scope(site.inner) if site.inner is not None else None
            found.calls.append(Call(site, scope, inner))
    _number([call for call in found.calls if call.shape.kind != "branch"])
    return found


def _number(calls: list[Call]) -> None:
    before: Call | None = None
    for place, call in enumerate(calls):
        same = before is not None and before.looks() == call.looks()
        call.place, call.run = place, before.run if before is not None and same else place
        before = call
