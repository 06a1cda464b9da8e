"""Places that need ids: the calls, loops, decisions and variables of emitted code, as plain data."""

from __future__ import annotations

import ast
import hashlib

import msgspec

from flopod.workflow.paths import op_of
from flopod_compiler.diagnostics import Span
from flopod_compiler.model import SourceModule
from flopod_compiler.parse import span

STATE = {"var", "list", "map"}
FOR_EACH = "for_each"
"""A kind that has a scope for each of its items, and no code of its own in them."""

OF_WORKFLOW = {"work": "call in work", "tap": "call in tap"}
"""What side chains that run a part of the workflow are to the lock: what is recorded is that of a call."""

SAME = {"attempt": "activity", "tap": "work", **dict.fromkeys(OF_WORKFLOW.values(), "call")}
"""Kinds whose records are alike, so that an edit may turn one into the other."""

_UNNAMED = (ast.Await, ast.Lambda, ast.comprehension, ast.NamedExpr)
_WIDTH = 120


class Shape(msgspec.Struct, frozen=True, array_like=True):
    """What a call looks like, for recognising it after an edit.

    `callee` is what it runs, `text` its arguments, the iterable of a loop or the test of a decision,
    `name` the variable it is assigned to, `within` the header of the statement around it, `carries`
    what a loop takes from one iteration to the next.
    """

    kind: str
    callee: str = ""
    text: str = ""
    name: str = ""
    within: str = ""
    carries: str = ""

    @property
    def family(self) -> str:
        return SAME.get(self.kind, self.kind)


class Site(msgspec.Struct, eq=False, array_like=True):
    """One place that needs an id in its scope, which the emitted code holds in `variable`.

    `op` is the name it goes by, for a loop `default` the one it has without a pragma; `where` is what a
    message points at, `line` where it stands if that counts. `literals` are the constant arguments by
    position or keyword, `arguments` all of them as a name, `text` what it looks like. `inner` is the scope
    that a loop hands out. `shape` is what the lock compares, `id` is filled in by `assign_ids`.
    """

    kind: str
    op: str
    variable: str
    where: Span
    line: int
    text: str
    arguments: str | None = None
    pragma: str | None = None
    literals: dict[int | str, str] = {}
    assigned: str | None = None
    default: str | None = None
    inner: SiteScope | None = None
    shape: Shape = Shape("")
    id: str = ""

    @property
    def says_event(self) -> bool:
        """Whether the id of a wait says which event it is for: not if that is computed, or was renamed."""
        return self.op != "wait" and self.op == op_of(self.id)


class SiteScope(msgspec.Struct, eq=False, array_like=True):
    """A scope of emitted code: the variable that holds it and the sites whose ids live in it."""

    variable: str
    sites: list[Site] = []

    @property
    def inner(self) -> list[SiteScope]:
        """The scopes that its loops hand out."""
        return [site.inner for site in self.sites if site.inner is not None]

    def all(self) -> list[Site]:
        """The sites of this scope, then those of the scopes inside."""
        found = list(self.sites)
        for inner in self.inner:
            found += inner.all()
        return found


def site_at(module: SourceModule, kind: str, op: str, node: ast.AST, scope: SiteScope) -> Site:
    """A new site for a node, as the last one of its scope."""
    shown = node.target if isinstance(node, ast.comprehension) else node
    text = _text(node)
    site = Site(
        kind,
        op,
        scope.variable,
        span(shown, module),
        getattr(node, "lineno", 0),
        op if text is None else shortened(text),
        _arguments(node, text or ""),
    )
    scope.sites.append(site)
    return site


def _text(node: ast.AST) -> str | None:
    """What is written at a site, None if that says nothing."""
    if isinstance(node, ast.Call):
        return ", ".join(ast.unparse(one) for one in [*node.args, *node.keywords])
    if isinstance(node, ast.For | ast.AsyncFor | ast.comprehension):
        return ast.unparse(node.iter)
    if isinstance(node, ast.If | ast.While | ast.IfExp):
        return ast.unparse(node.test)
    if isinstance(node, ast.Match):
        return ast.unparse(node.subject)
    return None


def shortened(text: str) -> str:
    """The text, or of a long one its beginning and a digest of the rest."""
    if len(text) <= _WIDTH:
        return text
    return f"{text[: _WIDTH - 10]}…{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def _arguments(node: ast.AST, written: str) -> str | None:
    """The arguments of a call as id text, `(order.id, total)`, if they are short and call nothing durable."""
    if not isinstance(node, ast.Call) or not (node.args or node.keywords):
        return None
    text = _unquoted(written)
    if len(text) > 40 or not text.isprintable():
        return None
    if any(isinstance(one, _UNNAMED) for part in [*node.args, *node.keywords] for one in ast.walk(part)):
        return None
    return f"({text})"


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


def written_in(call: ast.Call) -> str:
    """What a site looks like whose call stands for this one."""
    return shortened(_text(call) or "")


def arguments_as_name(call: ast.Call) -> str | None:
    """What a call is given as the name of its site, for a site that stands for more than this call."""
    return _arguments(call, _text(call) or "")


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
