"""Checks a random program that detaches: it has several runs, which takes what `flopod.testing` has."""

from __future__ import annotations

import asyncio
import functools
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

from flopod.detach import flush_all_detached
from flopod.testing import Flopod
from flopod.testing.calls import Call
from flopod.testing.matrix import crash_matrix
from flopod.testing.plain import PlainRun
from flopod.testing.run import Run
from flopod.testing.same import compare_ends, compare_lines
from flopod.testing.seen import captured
from flopod.workflow import forms
from flopod_compiler.build import compile_project
from flopod_compiler.garbage import collector_paused
from flopod_compiler.testing.source import CompiledWorkflow, Source, SourceErrors
from tests.differential.cuts import sampled
from tests.differential.detaches import FORGOTTEN
from tests.harness.checks import OnCrash
from tests.harness.compiled import Refused

MODULE = "flow"


class Family:
    """A program with a workflow `flow(n)` that detaches, plain and compiled, in virtual time."""

    def __init__(self, source: Source) -> None:
        self.emitted = source.compilation.lowered[MODULE].text
        self._flopod = Flopod(lambda: source)
        self._plain: dict[int, PlainRun] = {}

    def count_calls(self, given: int) -> int:
        run = self._flopod.run(MODULE, given, compiled=False)
        # asyncio's own goes through a set: what is done at the same moment comes in any order
        with captured() as printed, mock.patch.object(asyncio, "as_completed", forms.as_completed):
            run.outcome()
        run.tape.output = printed.stdout
        self._plain[given] = run
        return len(run.tape.calls)

    def plain_calls(self, given: int) -> list[str]:
        """What was called with what for an input whose calls were counted."""
        return [one.shown for one in self._plain[given].tape.calls]

    def check(self, given: int, cuts: int, on_crash: OnCrash) -> int:
        run = self._same_as_plain(self._plain[given], given)
        log = run.log()
        some = [number + 1 for number in sampled(len(log), cuts)]
        for number in some:
            on_crash(log[number - 1].event)
        return crash_matrix(run, some)

    def _same_as_plain(self, plain: PlainRun, given: int) -> Run:
        """Run it compiled and compare; calls of different runs are in no order."""
        run = self._flopod.run(MODULE, given)
        with captured():
            compare_ends(plain.outcome(), run.outcome())
        compare_lines("leaf calls", *_called(plain.tape.calls, run.tape.calls), "plain", "compiled")
        compare_lines("output", plain.output.splitlines(), run.output.splitlines(), "plain", "compiled")
        return run

    def close(self) -> None:
        self._flopod.close()


@contextmanager
def family(text: str, change: Callable[[str], str] = str) -> Iterator[Family]:
    """A program given as text; its module is let go afterwards. Raises Refused.

    `change` breaks what the compiler emitted, on purpose.
    """
    path = list(sys.path)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / f"{MODULE}.py").write_text(text, encoding="utf-8")
        found = Family(_compiled(Path(folder), change))
        try:
            yield found
        finally:
            found.close()
            sys.path[:] = path
            sys.modules.pop(MODULE, None)


def _compiled(folder: Path, change: Callable[[str], str]) -> Source:
    with collector_paused():
        try:
            source = _Draining(folder)
        except SourceErrors:
            raise Refused(compile_project(folder)) from None
        lowered = source.compilation.lowered
        lowered[MODULE] = replace(lowered[MODULE], text=change(lowered[MODULE].text))
        assert source.codes
    return source


class _Draining(Source):
    """A source whose plain form ends as a compiled one does."""

    def subject(self, workflow: str | Callable[..., Any]) -> CompiledWorkflow:
        return _DrainingWorkflow(self, super().subject(workflow)._entry)


class _DrainingWorkflow(CompiledWorkflow):
    @property
    def plain(self) -> Callable[..., Any]:
        function = super().plain

        @functools.wraps(function)
        async def drained(*args: Any, **kwargs: Any) -> Any:
            asyncio.get_running_loop().set_exception_handler(lambda *_: None)
            try:
                return await function(*args, **kwargs)
            finally:
                await _drain()

        return drained


async def _drain() -> None:
    """Cancel what is under way, as the end of a program does, but for what was forgotten or detached."""
    left = asyncio.all_tasks() - {asyncio.current_task()}
    tasks = [task for task in left if ":detach:" not in task.get_name()]
    forgotten = [task for task in tasks if _function_of(task) in FORGOTTEN]
    others = sorted((task for task in tasks if task not in forgotten), key=_number_of)
    for task in others:
        task.cancel()
    await asyncio.gather(*others, *forgotten, return_exceptions=True)
    await flush_all_detached("1h")


def _function_of(task: asyncio.Task[Any]) -> str:
    return str(getattr(task.get_coro(), "__qualname__", ""))


def _number_of(task: asyncio.Task[Any]) -> int:
    return int(task.get_name().rpartition("-")[2])


def _called(plain: list[Call], compiled: list[Call]) -> tuple[list[str], list[str]]:
    """All calls, sorted, but for those that were cancelled and may not have begun on the other side."""
    left, right = (Counter(one.shown for one in calls) for calls in (plain, compiled))
    void = Counter(one.shown for one in plain if isinstance(one.error, asyncio.CancelledError))
    return sorted((left - (void & (left - right))).elements()), sorted(right.elements())
