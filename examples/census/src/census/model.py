"""What a census counts: modules, their packages, measures of a module, sums of a package."""

from collections.abc import Iterable
from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Package:
    """The modules of one package, as paths below the standard library."""

    name: str
    modules: list[str]

    def batches(self, size: int) -> list[list[str]]:
        """The modules in groups of at most `size`."""
        return [self.modules[start : start + size] for start in range(0, len(self.modules), size)]


@dataclass(frozen=True)
class Counts:
    """How much code there is somewhere."""

    bytes: int = 0
    lines: int = 0
    functions: int = 0
    classes: int = 0


@dataclass(frozen=True)
class Measure:
    """How much code one module holds; `problem` says why it could not be parsed."""

    module: str
    counts: Counts
    problem: str = ""


@dataclass(frozen=True)
class Total:
    """How much code the modules of one package hold together."""

    package: str
    modules: int
    counts: Counts


def add_up(package: str, measures: list[Measure]) -> Total:
    """The sum of the measures of one package."""
    return Total(package, len(measures), sum_of(each.counts for each in measures))


def sum_of(counts: Iterable[Counts]) -> Counts:
    """All of `counts` together, field by field."""
    found = list(counts)
    return Counts(*(sum(getattr(each, field.name) for each in found) for field in fields(Counts)))


def longest(measures: list[Measure], number: int) -> list[Measure]:
    """The modules with the most lines, the longest first."""
    return sorted(measures, key=lambda each: (-each.counts.lines, each.module))[:number]
