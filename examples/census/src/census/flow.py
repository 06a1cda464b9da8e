"""The census: package by package, the modules of a batch at the same time, then the report."""

import asyncio

from flopod import workflow

from census.library import find_packages, measure
from census.model import Measure, Total, add_up, longest
from census.report import Report, write_report

BATCH = 8


@workflow
async def census(folder: str, limit: int | None = None) -> Report:
    """Measure the modules of the standard library and report on them in `folder`.

    With a `limit` only so many packages are looked at.
    """
    packages = find_packages(limit)
    totals: list[Total] = []
    giants: list[Measure] = []
    unparsed: list[str] = []
    for package in packages:
        measures: list[Measure] = []
        for batch in package.batches(BATCH):
            measures += await asyncio.gather(*(measure(folder, module) for module in batch))
        totals.append(add_up(package.name, measures))
        giants = longest(giants + measures, 5)
        unparsed += [each.module for each in measures if each.problem]
        print(f"{package.name}: {len(measures)} modules")
    return write_report(folder, totals, giants, unparsed)
