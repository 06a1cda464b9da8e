"""Ids of call sites (design 4.2): one namespace a scope, and what tells two of a kind apart.

In order: the author's pragma, a literal argument that distinguishes, the assigned name, else an
ordinal with a warning. Variables of the runtime have a namespace of their own: their names are
already distinct, and no path of an operation is ever one of theirs.
"""

from __future__ import annotations

import ast
from collections import Counter
from dataclasses import dataclass, field

QUIET = {"branch"}
STATE = {"var", "list", "map"}


@dataclass(eq=False, slots=True)
class Site:
    """One place that needs an id in its scope.

    `op` is the name it goes by; `literals` the constant arguments by position or keyword; `id` is
    filled in by `assign_ids`.
    """

    kind: str
    op: str
    node: ast.AST
    scope: SiteScope
    pragma: str | None = None
    literals: dict[int | str, str] = field(default_factory=dict)
    assigned: str | None = None
    id: str = ""


@dataclass(eq=False, slots=True)
class SiteScope:
    """A scope of emitted code: the variable that holds it and the sites whose ids live in it."""

    variable: str
    parent: SiteScope | None = None
    sites: list[Site] = field(default_factory=list)
    inner: list[SiteScope] = field(default_factory=list)

    def open(self, variable: str) -> SiteScope:
        scope = SiteScope(variable, self)
        self.inner.append(scope)
        return scope

    def add(self, site: Site) -> Site:
        self.sites.append(site)
        return site


@dataclass(frozen=True, slots=True)
class Clash:
    """Two sites of one scope for which no distinct id was found, or only an ordinal."""

    site: Site
    fatal: bool
    first: Site


def assign_ids(scope: SiteScope) -> list[Clash]:
    """Give every site of a scope, and of the scopes inside it, an id; return what needs a word."""
    clashes: list[Clash] = []
    groups: dict[tuple[bool, str], list[Site]] = {}
    for site in scope.sites:
        if site.kind in STATE:
            site.id = site.op
        else:
            groups.setdefault((site.kind in QUIET, site.op), []).append(site)
    taken: dict[str, Site] = {}
    for (_, op), group in sorted(groups.items(), key=lambda item: item[0][0]):
        clashes += _name_group(op, group, taken)
    for inner in scope.inner:
        clashes += assign_ids(inner)
    return clashes


def _name_group(op: str, group: list[Site], taken: dict[str, Site]) -> list[Clash]:
    clashes: list[Clash] = []
    for site in [one for one in group if one.pragma]:
        clashes += _take(site, f"{op}#{site.pragma}", taken, fatal=True)
    rest = [one for one in group if not one.pragma]
    names = _literal_names(rest) or _assigned_names(rest) or _mixed_names(rest)
    for site, name in zip(rest, names, strict=True):
        wanted = f"{op}#{name}" if name else op
        if wanted in taken:
            clashes += _ordinal(site, op, taken)
        else:
            clashes += _take(site, wanted, taken, fatal=False)
    return clashes


def _take(site: Site, wanted: str, taken: dict[str, Site], *, fatal: bool) -> list[Clash]:
    site.id = wanted
    first = taken.setdefault(wanted, site)
    return [] if first is site else [Clash(site, fatal, first)]


def _ordinal(site: Site, op: str, taken: dict[str, Site]) -> list[Clash]:
    first = taken.get(op, site)
    number = 2
    while f"{op}#{number}" in taken:
        number += 1
    site.id = f"{op}#{number}"
    taken[site.id] = site
    return [] if site.kind in QUIET else [Clash(site, False, first)]


def _literal_names(group: list[Site]) -> list[str | None] | None:
    if len(group) < 2:
        return [None for _ in group]
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


def _mixed_names(group: list[Site]) -> list[str | None]:
    """The first literal or the assigned name where it is nobody else's; the others stay bare."""
    values = [next(iter(site.literals.values()), None) or site.assigned for site in group]
    often = Counter(values)
    return [value if often[value] == 1 else None for value in values]


def literal_arguments(call: ast.Call) -> dict[int | str, str]:
    """The short constant arguments of a call, by position or keyword, as id text."""
    found: dict[int | str, str] = {}
    for position, argument in enumerate(call.args):
        if isinstance(argument, ast.Starred):
            break
        text = _literal(argument)
        if text:
            found[position] = text
    for keyword in call.keywords:
        text = _literal(keyword.value)
        if keyword.arg and text:
            found[keyword.arg] = text
    return found


def _literal(node: ast.expr) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str | int | float):
        if isinstance(node.value, bool):
            return None
        text = str(node.value)
        return text if 0 < len(text) <= 40 and text.isprintable() else None
    return None
