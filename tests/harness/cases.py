"""Reads `fixtures/<case>/case.toml` into typed cases."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

FIXTURES = Path(__file__).parents[2] / "fixtures"


@dataclass(frozen=True)
class Event:
    """A payload that waits for a workflow to ask for `event`."""

    event: str
    payload: Any = None


@dataclass(frozen=True)
class Fault:
    """The first `fails` attempts of each call of `leaf` raise `error`, a builtin exception."""

    leaf: str
    fails: int
    error: str


@dataclass(frozen=True)
class Scenario:
    """One run of a program: its input, what happens to it, and how it ends.

    `raises` names the exception that ends the run (`ValueError`, `flow:Missing`), "" for none.
    `opaque` names the leaves whose arguments differ from run to run: clocks, random numbers.
    """

    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)
    raises: str = ""
    events: tuple[Event, ...] = ()
    faults: tuple[Fault, ...] = ()
    opaque: frozenset[str] = frozenset()

    def given(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The input as objects of one life: a workflow that changes its arguments changes only these."""
        return deepcopy((self.args, self.kwargs))


@dataclass(frozen=True)
class Case:
    """A folder of `fixtures/`: sources, what they show, and how to run them.

    One that `detaches` has several runs, which takes what `flopod.testing` has.
    """

    name: str
    title: str
    kind: str
    group: str
    covers: tuple[str, ...]
    codes: tuple[str, ...]
    workflow: str
    shuffle: bool
    show: bool
    scenarios: tuple[Scenario, ...]
    detaches: bool = False
    since: tuple[int, ...] = ()

    @property
    def is_readable(self) -> bool:
        """Whether this interpreter knows the syntax of the case."""
        return sys.version_info >= self.since

    @property
    def folder(self) -> Path:
        return FIXTURES / self.name

    @property
    def source(self) -> Path:
        return self.folder / "input"

    @property
    def expected(self) -> Path:
        return self.folder / "expected"


def _scenario(run: dict[str, Any], opaque: list[str]) -> Scenario:
    return Scenario(
        args=tuple(run.get("args", ())),
        kwargs=run.get("kwargs", {}),
        raises=run.get("raises", ""),
        events=tuple(Event(**event) for event in run.get("events", ())),
        faults=tuple(Fault(**fault) for fault in run.get("faults", ())),
        opaque=frozenset(opaque),
    )


@cache
def load_case(name: str) -> Case:
    """The case in `fixtures/<name>`."""
    table = tomllib.loads((FIXTURES / name / "case.toml").read_text("utf-8"))
    return Case(
        name=name,
        title=table["title"],
        kind=table.get("kind", "run"),
        group=table["group"],
        covers=tuple(table.get("covers", ())),
        codes=tuple(table.get("codes", ())),
        workflow=table.get("workflow", ""),
        shuffle=table.get("shuffle", False),
        show=table.get("show", False),
        scenarios=tuple(_scenario(run, table.get("opaque", [])) for run in table.get("runs", ())),
        detaches=table.get("detaches", False),
        since=tuple(int(part) for part in table.get("requires-python", "3.11").split(".")),
    )


def case_names(kind: str = "", *, everywhere: bool = False) -> list[str]:
    """The names of all cases, or of those of one kind (`run`, `refused`), sorted.

    Cases in newer syntax than this interpreter knows (`requires-python`) are left out, unless `everywhere`.
    """
    names = sorted(path.parent.name for path in FIXTURES.glob("*/case.toml"))
    cases = (load_case(name) for name in names)
    return [
        case.name for case in cases if (not kind or case.kind == kind) and (everywhere or case.is_readable)
    ]


def scenarios(names: list[str]) -> Iterator[tuple[str, int]]:
    """Each case with the number of each of its runs."""
    for name in names:
        for number in range(len(load_case(name).scenarios)):
            yield name, number
