"""print, logging and log: shown once, after the commit, as the author's call would have shown them."""

import io
import logging
import sys
from typing import Any

from flopod.errors import SerializableError
from flopod.events import Log, Recorded
from flopod.workflow.commands import CallLogger, Write
from flopod.workflow.scope import Scope
from tests.workflow.programs import double
from tests.workflow.support import START, Simulator, run, sweep


def commands(body: Any) -> list[Any]:
    return Simulator(body, ()).core.step(START).commands


def test_print_takes_what_print_takes() -> None:
    """sep, end, file and flush are honoured; a file of the author's own is written at once."""
    mine = io.StringIO()

    async def body(wf: Scope) -> None:
        wf.print("a", 1, None)
        wf.print("a", "b", sep="-", end="!")
        wf.print("warning", file=sys.stderr, flush=True)
        wf.print("kept", file=mine)
        wf.print()

    assert commands(body) == [
        Write("stdout", "a 1 None\n"),
        Write("stdout", "a-b!"),
        Write("stderr", "warning\n", True),
        Write("stdout", "\n"),
    ]
    assert mine.getvalue() == "kept\n"


def test_text_is_formatted_at_once() -> None:
    """A later change of what is printed does not change the line."""

    async def body(wf: Scope) -> None:
        xs = [1]
        wf.print(xs)
        xs.append(2)

    assert commands(body) == [Write("stdout", "[1]\n")]


def test_logging_calls_are_made_after_the_commit() -> None:
    """Level, logger, arguments and extra are recorded; disabled levels are not."""
    logger = logging.getLogger("shop.orders")
    logger.setLevel(logging.INFO)

    async def body(wf: Scope) -> None:
        wf.logging(logger.info, "order %s has %d", "A", 2, extra={"sku": "x"})
        wf.logging(logger.debug, "not enabled")
        wf.logging(logger.log, logging.ERROR, "by number")
        wf.logging(logger.warning, "%(a)s", {"a": 1})
        wf.logging(logger.info, "%d", "not a number")
        try:
            raise ValueError("x")
        except ValueError:
            wf.logging(logger.exception, "failed")

    core = Simulator(body, ())
    commit = core.core.step(START)
    lines = [(e.level, e.logger, e.message) for e in commit.events if isinstance(e, Log)]
    assert lines == [
        ("INFO", "shop.orders", "order A has 2"),
        ("ERROR", "shop.orders", "by number"),
        ("WARNING", "shop.orders", "1"),
        ("INFO", "shop.orders", "%d 'not a number'"),
        ("ERROR", "shop.orders", "failed"),
    ]
    calls = [command for command in commit.commands if isinstance(command, CallLogger)]
    assert calls[0].args == ("%s", "order A has 2")
    assert calls[0].kwargs == {"extra": {"sku": "x"}}
    assert calls[1].args == (logging.ERROR, "%s", "by number")
    assert isinstance(calls[-1].kwargs["exc_info"][1], ValueError)


def test_log_records_message_and_fields() -> None:
    """`log` is an event with fields, and a line on standard error."""

    async def body(wf: Scope) -> None:
        wf.log("priced", sku="x", total=3)

    ran = run(body)
    event = ran.of(Log)[0]
    assert (event.message, bytes(event.fields)) == ("priced", b'{"sku":"x","total":3}')
    assert ran.printed == "priced sku=x total=3\n"


def test_output_comes_once_over_all_resumes() -> None:
    """Of several lines in one scope, those in the log are not shown again, the others are."""

    async def body(wf: Scope) -> None:
        for i in range(3):
            wf.print("before", i)
            wf.print("between", i, file=sys.stderr)
            await wf.activity(f"double#{i}", double, i)
            wf.print("after", i)

    sweep(body)


def test_a_recordable_that_raises_raises_again() -> None:
    """Its error is recorded and replayed with the same type and arguments."""
    tries: list[int] = []

    def broken() -> None:
        tries.append(1)
        raise KeyError("HOME")

    async def body(wf: Scope) -> Any:
        try:
            wf.record("env", broken)
        except KeyError as error:
            found = error.args
        await wf.activity("double", double, 1)
        return found

    first = run(body)
    assert len(first.of(Recorded)) == 1
    assert run(body, records=first.records[:-1]).value == ("HOME",)
    assert tries == [1]


def test_what_cannot_be_recorded_names_the_path() -> None:
    """An argument or a result that is no data is an error with path and field."""

    def generator() -> Any:
        return {"client": (x for x in "ab")}

    async def arguments(wf: Scope) -> None:
        await wf.activity("send", double, [1, {"client": (x for x in "ab")}])

    async def result(wf: Scope) -> None:
        await wf.activity("open", generator)

    for body, path in ((arguments, "send"), (result, "open")):
        error = run(body).core.error
        assert isinstance(error, SerializableError)
        assert error.path == path
        assert "client" in str(error)
