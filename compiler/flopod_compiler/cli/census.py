"""A survey as tables: what became of the functions, and which rules refused how many."""

from __future__ import annotations

from collections.abc import Mapping

from flopod_compiler.cli.base import table
from flopod_compiler.diagnostics.catalogue import CATALOGUE
from flopod_compiler.survey import Survey

HEADINGS = ("source", "modules", "lines", "functions", "compiled", "unchanged", "refused", "faults")


def totals(found: Survey) -> str:
    """The tables of one survey."""
    return f"{sources({'': found})}\n\n{rules(found)}"


def sources(found: Mapping[str, Survey]) -> str:
    """One row a source."""
    rows = [
        (name, *map(str, (one.modules, one.lines, one.functions, one.compiled)), *map(str, _rest(one)))
        for name, one in found.items()
    ]
    return table(HEADINGS, rows)


def _rest(one: Survey) -> tuple[int, int, int]:
    return len(one.unchanged), one.refused_functions, len(one.faults)


def rules(found: Survey) -> str:
    """One row a rule that refused a function, the most frequent first; one may be refused by several."""
    rows = [
        (code, str(count), str(found.findings[code]), CATALOGUE[code].title)
        for code, count in sorted(found.refused.items(), key=lambda item: (-item[1], item[0]))
    ]
    return table(("rule", "functions", "places", "what it says"), rows)
