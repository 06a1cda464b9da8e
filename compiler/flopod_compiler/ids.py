"""Ids of call sites (design 4.2): one namespace a scope, and what tells two of a kind apart.

In order: the author's pragma, what the lock holds, a literal argument that distinguishes, the assigned
name, the text of the arguments; else, with a warning, what stands before and after, or an ordinal. Of
several of a kind none is bare: the id of a single call is never that of another when a second one comes.
Variables of the runtime have a namespace of their own: their names are distinct, and no path of an
operation is ever one of theirs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from flopod_compiler.sites import STATE, Site, SiteScope

NOTHING: Mapping[Any, Any] = MappingProxyType({})
QUIET = {"branch"}


@dataclass(frozen=True, slots=True)
class Clash:
    """Two sites of one scope for which no distinct id was found, or only an ordinal."""

    scope: SiteScope
    site: Site
    fatal: bool
    first: Site


def assign_ids(
    scope: SiteScope,
    kept: Mapping[Site, str] = NOTHING,
    spent: Mapping[SiteScope, frozenset[str]] = NOTHING,
) -> list[Clash]:
    """Give every site of a scope, and of the scopes inside it, an id; return what needs a word.

    `kept` are ids that the lock holds for a site, `spent` those of a scope that no new call may get.
    """
    clashes: list[Clash] = []
    groups: dict[tuple[bool, str], list[Site]] = {}
    taken: dict[str, Site] = {}
    for site in scope.sites:
        if site.kind in STATE:
            site.id = site.op
        elif site in kept:
            site.id = kept[site]
            taken[site.id] = site
            groups.setdefault((site.kind in QUIET, site.op), []).append(site)
        else:
            groups.setdefault((site.kind in QUIET, site.op), []).append(site)
    namespace = _Namespace(scope, taken, spent.get(scope, frozenset()))
    for (quiet, op), group in sorted(groups.items(), key=lambda item: item[0][0]):
        clashes += (_number_group if quiet else _name_group)(op, group, kept, namespace)
    for inner in scope.inner:
        clashes += assign_ids(inner, kept, spent)
    return clashes


@dataclass(slots=True)
class _Namespace:
    """The ids of one scope: who has them, and which are spent."""

    scope: SiteScope
    taken: dict[str, Site]
    spent: frozenset[str]

    def is_free(self, id: str) -> bool:
        return id not in self.taken and id not in self.spent

    def take(self, site: Site, id: str) -> None:
        site.id = id
        self.taken[id] = site


def _name_group(op: str, group: list[Site], kept: Mapping[Site, str], space: _Namespace) -> list[Clash]:
    clashes: list[Clash] = []
    for site in group:
        if site.pragma and site not in kept:
            clashes += _take_named(site, f"{op}#{site.pragma}", space)
    rest = [one for one in group if not one.pragma]
    nameless: list[Site] = []
    for site, name in zip(rest, _names(rest), strict=True):
        wanted = f"{op}#{name}" if name else op
        if site in kept:
            continue
        if (name or len(rest) == 1) and space.is_free(wanted):
            space.take(site, wanted)
        else:
            clashes += _last_resort(site, op, rest, nameless, space)
    return clashes


def _take_named(site: Site, wanted: str, space: _Namespace) -> list[Clash]:
    site.id = wanted
    first = space.taken.setdefault(wanted, site)
    return [] if first is site else [Clash(space.scope, site, True, first)]


def _last_resort(
    site: Site, op: str, group: list[Site], nameless: list[Site], space: _Namespace
) -> list[Clash]:
    """A name of its own, else its place, which is never that of another call after an edit.

    A place is what stands before and after, else a number that says of how many. That of a second one has
    a word.
    """
    for name in _own_names(site):
        if (
            name
            and space.is_free(f"{op}#{name}")
            and not any(name in _own_names(one) for one in group if one is not site)
        ):
            space.take(site, f"{op}#{name}")
            return []
    place = _between(site, space.scope)
    if any(_between(one, space.scope) == place for one in group if one is not site) or not space.is_free(
        f"{op}#{place}"
    ):
        place = _numbered(site, op, group, space)
    space.take(site, f"{op}#{place}")
    nameless.append(site)
    return [Clash(space.scope, site, False, nameless[0])] if nameless[0] is not site else []


def _own_names(site: Site) -> list[str | None]:
    first = next(iter(site.literals.values()), None)
    return [site.assigned, first, site.arguments, _content(site)]


def _content(site: Site) -> str | None:
    """What a loop does first."""
    ops = [one.op for one in site.inner.sites if one.kind not in STATE | QUIET] if site.inner else []
    return f"({ops[0]})" if ops else None


def _between(site: Site, scope: SiteScope) -> str:
    """The calls before and after a call in its scope."""
    beside = [one for one in scope.sites if one.kind not in STATE | QUIET]
    place = beside.index(site)
    before = beside[place - 1].op if place else ""
    after = beside[place + 1].op if place + 1 < len(beside) else ""
    return f"({before}..{after})"


def _numbered(site: Site, op: str, group: list[Site], space: _Namespace) -> str:
    number, count = group.index(site) + 1, len(group)
    while not space.is_free(f"{op}#{number}of{count}"):
        count += 1
    return f"{number}of{count}"


def _number_group(op: str, group: list[Site], kept: Mapping[Site, str], space: _Namespace) -> list[Clash]:
    """Name decisions, whose record is only compared: the first is bare, the others are counted."""
    clashes: list[Clash] = []
    for site, name in zip(group, _names(group, bare=True), strict=True):
        if site in kept:
            continue
        if site.pragma:
            clashes += _take_named(site, f"{op}#{site.pragma}", space)
            continue
        wanted, number = f"{op}#{name}" if name else op, 2
        while not space.is_free(wanted):
            wanted, number = f"{op}#{number}", number + 1
        space.take(site, wanted)
    return clashes


def _names(group: list[Site], *, bare: bool = False) -> list[str | None]:
    if len(group) < 2:
        return [None for _ in group]
    return _literal_names(group) or _assigned_names(group) or _mixed_names(group, bare)


def _literal_names(group: list[Site]) -> list[str | None] | None:
    for position in group[0].literals:
        values = [site.literals.get(position) for site in group]
        if None not in values and len(set(values)) == len(values):
            return list(values)
    return None


def _assigned_names(group: list[Site]) -> list[str | None] | None:
    values = [site.assigned for site in group]
    if None in values or len(set(values)) < len(values):
        return None
    return list(values)


def _mixed_names(group: list[Site], bare: bool) -> list[str | None]:
    """The first literal or the assigned name where it is nobody else's, else the arguments' own text."""
    values = [next(iter(site.literals.values()), None) or site.assigned for site in group]
    if not bare:
        values = [value or site.arguments for value, site in zip(values, group, strict=True)]
    often = Counter(values)
    return [value if often[value] == 1 else None for value in values]
