"""Suppression: findings that a pragma on their line silences, and pragmas that silence nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from flopod_compiler.diagnostics.catalogue import CATALOGUE, is_suppressible, near_codes
from flopod_compiler.diagnostics.diagnostic import Diagnostic
from flopod_compiler.diagnostics.rules.discovery import (
    PragmaRefused,
    PragmaUnknown,
    PragmaUnused,
    PragmaWithoutReason,
)

if TYPE_CHECKING:
    from flopod_compiler.pragmas import Pragma


def suppress(findings: Iterable[Diagnostic], pragmas: Mapping[str, Mapping[int, Pragma]]) -> list[Diagnostic]:
    """The findings that remain, with new ones for pragmas that are wrong or silence nothing.

    `pragmas` holds them by relative path and line.
    """
    kept = [one for one in findings if not _silenced(one, pragmas.get(one.path, {}))]
    for path, lines in pragmas.items():
        for pragma in lines.values():
            kept.extend(_judge(path, pragma))
    return kept


def _silenced(finding: Diagnostic, lines: Mapping[int, Pragma]) -> bool:
    pragma = lines.get(finding.span.line)
    if pragma is None or finding.code not in pragma.ignore:
        return False
    pragma.used.add(finding.code)
    if not is_suppressible(finding.code, finding.severity):
        pragma.refused.add(finding.code)
        return False
    return bool(pragma.reason)


def _judge(path: str, pragma: Pragma) -> Iterator[Diagnostic]:
    if not pragma.ignore:
        return
    if not pragma.reason:
        yield PragmaWithoutReason.on(path, pragma.span, codes=", ".join(pragma.ignore))
    for code in dict.fromkeys(pragma.ignore):
        if code not in CATALOGUE:
            yield PragmaUnknown.on(path, pragma.span, reason=f"there is no code {code!r}{_near(code)}")
        elif code in pragma.refused:
            yield PragmaRefused.on(path, pragma.span, code=code, title=CATALOGUE[code].title.lower())
        elif code not in pragma.used:
            yield PragmaUnused.on(path, pragma.span, code=code)


def _near(code: str) -> str:
    near = near_codes(code)
    return f"; did you mean {', '.join(near)}?" if near else "; `flopod explain` lists all codes"
