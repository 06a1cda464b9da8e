"""Ids of call sites (design 4.2): one namespace a scope, and what tells two of a kind apart.

In order: the author's pragma, what the lock holds, a literal argument that distinguishes, the assigned
name, the text of the arguments; else, with a warning, what stands before and after, or an ordinal. Of
several of a kind none is bare: the id of a single call is never that of another when a second one comes.
Variables of the runtime have a namespace of their own: their names are distinct, and no path of an
operation is ever one of theirs.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

NOTHING: Mapping[Any, Any] = MappingProxyType({})
QUIET = {"branch"}
_UNNAMED = (ast.Await, ast.Lambda, ast.comprehension, ast.NamedExpr)
STATE = {"var", "list", "map"}


@dataclass(eq=False, slots=True)
class Site:
    """One place that needs an id in its scope.

    `op` is the name it goes by; `literals` the constant arguments by position or keyword; `inner` the scope
    that a loop hands out; `id` is filled in by `assign_ids`.
    """

    kind: str
    op: str
    node: ast.AST
    scope: SiteScope
    pragma: str | None = None
    literals: dict[int | str, str] = field(default_factory=dict)
    assigned: str | None = None
    inner: SiteScope | None = None
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
    namespace = _Namespace(taken, spent.get(scope, frozenset()))
    for (quiet, op), group in sorted(groups.items(), key=lambda item: item[0][0]):
        clashes += (_number_group if quiet else _name_group)(op, group, kept, namespace)
    for inner in scope.inner:
        clashes += assign_ids(inner, kept, spent)
    return clashes


@dataclass(slots=True)
class _Namespace:
    """The ids of one scope: who has them, and which are spent."""

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
    return [] if first is site else [Clash(site, True, first)]


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
    place = _between(site)
    if any(_between(one) == place for one in group if one is not site) or not space.is_free(f"{op}#{place}"):
        place = _numbered(site, op, group, space)
    space.take(site, f"{op}#{place}")
    nameless.append(site)
    return [Clash(site, False, nameless[0])] if nameless[0] is not site else []


def _own_names(site: Site) -> list[str | None]:
    first = next(iter(site.literals.values()), None)
    return [site.assigned, first, argument_text(site.node), _content(site)]


def _content(site: Site) -> str | None:
    """What a loop does first."""
    ops = [one.op for one in site.inner.sites if one.kind not in STATE | QUIET] if site.inner else []
    return f"({ops[0]})" if ops else None


def _between(site: Site) -> str:
    """The calls before and after a call in its scope."""
    beside = [one for one in site.scope.sites if one.kind not in STATE | QUIET]
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
        values = [value or argument_text(site.node) for value, site in zip(values, group, strict=True)]
    often = Counter(values)
    return [value if often[value] == 1 else None for value in values]


def argument_text(node: ast.AST) -> str | None:
    """The arguments of a call as id text, `(order.id, total)`, if they are short and call nothing durable."""
    if not isinstance(node, ast.Call) or not (node.args or node.keywords):
        return None
    if any(isinstance(one, _UNNAMED) for part in [*node.args, *node.keywords] for one in ast.walk(part)):
        return None
    text = _unquoted(", ".join([*map(ast.unparse, node.args), *map(ast.unparse, node.keywords)]))
    return f"({text})" if len(text) <= 40 and text.isprintable() else None


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
        text = _unquoted(str(node.value))
        return text if 0 < len(text) <= 40 and text.isprintable() else None
    return None


def _unquoted(text: str) -> str:
    """Text without what would need a backslash in a string, which Python 3.11 refuses inside an f-string."""
    return text.translate({ord(one): None for one in "'\"\\"})
