"""Suppression: findings that a pragma on their line silences, and pragmas that silence nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from flopod_compiler.diagnostics.catalogue import CATALOGUE
from flopod_compiler.diagnostics.diagnostic import Diagnostic
from flopod_compiler.diagnostics.rules.discovery import PragmaUnknown, PragmaUnused, PragmaWithoutReason

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
    return bool(pragma.reason) and is_suppressible(finding.code, finding.severity)


def is_suppressible(code: str, severity: str) -> bool:
    """Whether a pragma may silence a code: warnings always, errors only where their rule says so."""
    rule = CATALOGUE.get(code)
    return severity != "error" or (rule is not None and rule.suppressible)


def _judge(path: str, pragma: Pragma) -> Iterator[Diagnostic]:
    if not pragma.ignore:
        return
    if not pragma.reason:
        yield PragmaWithoutReason.on(path, pragma.span, codes=", ".join(pragma.ignore))
    for code in pragma.ignore:
        if not _is_code(code):
            yield PragmaUnknown.on(path, pragma.span, reason=f"there is no code {code!r}")
        elif code not in pragma.used:
            yield PragmaUnused.on(path, pragma.span, code=code, reason="")


def _is_code(code: str) -> bool:
    return code.startswith("FLP") and code[3:].isdigit() and len(code) == 6
