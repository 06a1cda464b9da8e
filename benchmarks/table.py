"""The table of figures that the benchmarks of the runtime share, as text and as JSON."""

import argparse
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass

_HEAD = f"{'work':<38}{'store':<9}{'floor':>14}{'flopod':>14}{'ratio':>8}   goal"


@dataclass(frozen=True)
class Row:
    """One measurement in `unit`; where there is a floor, that of the same run, and the ratio of the two."""

    work: str
    store: str
    found: float
    unit: str
    goal: str = ""
    floor: float | None = None
    ratio: float | None = None

    def line(self) -> str:
        """The row of the table."""
        floor = "" if self.floor is None else _figure(self.floor, self.unit)
        ratio = "" if self.ratio is None else f"{self.ratio:.2f}"
        figures = f"{floor:>14}{_figure(self.found, self.unit):>14}{ratio:>8}"
        return f"{self.work:<38}{self.store:<9}{figures}   {self.goal}".rstrip()


def parser(description: str | None) -> argparse.ArgumentParser:
    """The command line of a benchmark; what it measures adds its sizes."""
    made = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument("--json", action="store_true", help="print JSON")
    return made


def show(rows: Iterable[Row], as_json: bool) -> int:
    """Print the rows, each as soon as it is measured, or all as JSON; the status of the command."""
    if as_json:
        print(json.dumps([asdict(row) for row in rows], indent=2))
        return 0
    print(_HEAD, flush=True)
    for row in rows:
        print(row.line(), flush=True)
    return 0


def _figure(value: float, unit: str) -> str:
    digits = 0 if value >= 100 else 1
    return f"{value:,.{digits}f} {unit}"
