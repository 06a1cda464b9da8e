"""The last word on findings: what pragmas silence, what one cause makes twice, the order."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from flopod_compiler.diagnostics.diagnostic import Diagnostic, Related
from flopod_compiler.diagnostics.rules.calls import StarImport, Unresolved
from flopod_compiler.diagnostics.rules.state import GlobalMutation, GlobalWrite, MutableRead
from flopod_compiler.diagnostics.suppress import suppress
from flopod_compiler.pragmas import pragmas

if TYPE_CHECKING:
    from flopod_compiler.model import Project

_SHOWN = 5


def settle(findings: Iterable[Diagnostic], project: Project) -> list[Diagnostic]:
    """The findings to report, sorted: without what is suppressed, said twice or follows from another one."""
    found = list(findings)
    with_pragmas = [module for module in project.modules.values() if "flopod:" in module.text]
    said = {module.relpath: pragmas(module, found) for module in with_pragmas}
    kept = suppress(dict.fromkeys(found), said)
    distinct = sorted(dict.fromkeys(kept), key=lambda one: one.order)
    return _merged(_without_consequences(distinct))


def _without_consequences(findings: list[Diagnostic]) -> list[Diagnostic]:
    """Leave out what would vanish with another finding, which says it better."""
    findings = _once_a_call(findings)
    stars = {one.path for one in findings if one.code == StarImport.code}
    writes = {
        (one.path, one.span.line) for one in findings if one.code in (GlobalWrite.code, GlobalMutation.code)
    }
    return [
        one
        for one in findings
        if not (one.code == Unresolved.code and one.path in stars and "import *" in one.message)
        and not (one.code == MutableRead.code and _places(one) & writes)
    ]


def _once_a_call(findings: list[Diagnostic]) -> list[Diagnostic]:
    """A call whose target is not known is so for one reason: the first that was found."""
    seen: set[tuple[str, object]] = set()
    kept = []
    for one in findings:
        key = (one.path, one.span)
        if one.code != Unresolved.code or key not in seen:
            kept.append(one)
        if one.code == Unresolved.code:
            seen.add(key)
    return kept


def _places(one: Diagnostic) -> set[tuple[str, int]]:
    return {(related.path, related.span.line) for related in one.related}


def _merged(findings: list[Diagnostic]) -> list[Diagnostic]:
    """One finding for all of one cause, with the other places as related spans."""
    groups: dict[tuple[str, str, str], list[Diagnostic]] = {}
    for one in findings:
        if one.cause:
            groups.setdefault((one.code, one.path, one.cause), []).append(one)
    merged: list[Diagnostic] = []
    for one in findings:
        group = groups.get((one.code, one.path, one.cause), [one])
        if group[0] is one:
            merged.append(_with_places(one, group[1:]))
    return merged


def _with_places(one: Diagnostic, others: list[Diagnostic]) -> Diagnostic:
    if not others:
        return one
    more = [Related(each.path, each.span, "here too") for each in others[:_SHOWN]]
    rest = len(others) - _SHOWN
    if rest > 0:
        word = "place" if rest == 1 else "places"
        more[-1] = replace(more[-1], message=f"here too, and at {rest} more {word}")
    return replace(one, related=one.related + tuple(more))
