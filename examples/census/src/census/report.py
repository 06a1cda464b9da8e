"""The leaf that writes the report: report.json for programs, report.txt for people."""

import json
from collections.abc import Iterator
from dataclasses import asdict, astuple, dataclass, fields
from pathlib import Path

from census.model import Counts, Measure, Total, sum_of


@dataclass(frozen=True)
class Report:
    """What was found, and the longest modules of all."""

    packages: int
    modules: int
    counts: Counts
    longest: list[str]
    unparsed: list[str]


def write_report(folder: str, totals: list[Total], longest: list[Measure], unparsed: list[str]) -> Report:
    """Write both files into `folder` and return the sums."""
    report = Report(
        packages=len(totals),
        modules=sum(each.modules for each in totals),
        counts=sum_of(each.counts for each in totals),
        longest=[each.module for each in longest],
        unparsed=unparsed,
    )
    document = {"report": asdict(report), "totals": [asdict(each) for each in totals]}
    _write(Path(folder, "report.json"), json.dumps(document, indent=1) + "\n")
    _write(Path(folder, "report.txt"), "\n".join(_table(report, totals)) + "\n")
    return report


def _write(path: Path, text: str) -> None:
    draft = path.with_suffix(".draft")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)


def _table(report: Report, totals: list[Total]) -> Iterator[str]:
    names = ["modules", *(field.name for field in fields(Counts))]
    yield _row("package", names)
    for each in sorted(totals, key=lambda each: -each.counts.lines):
        yield _row(each.package, [each.modules, *astuple(each.counts)])
    yield _row("all", [report.modules, *astuple(report.counts)])


def _row(name: str, cells: list[str] | list[int]) -> str:
    return f"{name:<20}" + "".join(f"{cell:>11}" for cell in cells)
