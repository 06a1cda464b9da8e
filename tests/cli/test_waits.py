"""Delivering to a run: what is refused, what is kept, and the command that a person is told to type."""

import json
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any, ClassVar

import msgspec
import pytest
from msgspec import Raw

from flopod.backends.memory import MemoryBackend
from flopod.codec import check_schema, encode, json_schema
from flopod.engine.samples import sample
from flopod.engine.waits import RunEnded, deliver, deliver_commands, matches, wait_points
from flopod.errors import BadInput, UnknownEvent, UnknownPath, UnknownRun
from flopod.events import RunCompleted, RunStarted, RunSummary, WaitPoint, WaitStarted
from flopod.manifest import COMPUTED, WaitEntry, WorkflowEntry


@dataclass
class Approval:
    by: str
    amount: int = 0


def _point(path: str, event: str, payload: Any = None) -> WaitPoint:
    if payload is None:
        return WaitPoint(path=path, event=event)
    return WaitPoint(path=path, event=event, schema=Raw(msgspec.json.encode(json_schema(payload))))


@pytest.fixture
def store() -> Iterator[MemoryBackend]:
    backend = MemoryBackend()
    points = [_point("approved", "approved", Approval), _point("lines[*]/checked", "check")]
    started = RunStarted(
        workflow="fulfil", input=Raw(encode(None)), build="b", run_id="order-1", waits=points, at=1
    )
    backend.append("order-1", 0, [started])
    yield backend
    backend.close()


def test_a_delivered_event_is_in_the_inbox(store: MemoryBackend) -> None:
    """What fits is kept for the run, numbered, also before it waits."""
    assert deliver(store, "order-1", "approved", "approved", '{"by": "ada"}').number == 1
    assert deliver(store, "order-1", "lines[SKU 3]/checked", "check", "7").number == 2
    first, second = store.inbox("order-1")
    assert (first.path, first.event, json.loads(bytes(first.payload))) == (
        "approved",
        "approved",
        {"by": "ada"},
    )
    assert (second.path, json.loads(bytes(second.payload))) == ("lines[SKU 3]/checked", 7)


@pytest.mark.parametrize(
    ("run_id", "path", "event", "payload", "error", "words"),
    [
        ("order-2", "approved", "approved", "{}", UnknownRun, "did you mean 'order-1'?"),
        ("order-1", "aproved", "approved", "{}", UnknownPath, "did you mean 'approved'"),
        ("order-1", "lines[0]/check", "check", "{}", UnknownPath, "lines[*]/checked"),
        ("order-1", "approved", "aproved", "{}", UnknownEvent, "'approved'"),
        ("order-1", "approved", "approved", "{", BadInput, "the payload is not JSON"),
        ("order-1", "approved", "approved", '{"by": 7}', BadInput, "by"),
        ("order-1", "approved", "approved", '{"amount": 7}', BadInput, "by"),
    ],
)
def test_what_the_run_cannot_take_is_refused(
    store: MemoryBackend,
    run_id: str,
    path: str,
    event: str,
    payload: str,
    error: type[Exception],
    words: str,
) -> None:
    """A mistake is reported to who makes it, and nothing is kept."""
    with pytest.raises(error) as caught:
        deliver(store, run_id, path, event, payload)
    assert words in str(caught.value)
    assert store.inbox("order-1") == []


def test_an_event_whose_name_is_computed_is_known_once_the_run_waits_for_it() -> None:
    """Before that any is kept; then a misspelt one is refused with the right one."""
    with MemoryBackend() as store:
        started = RunStarted(
            workflow="votes",
            input=Raw(encode(None)),
            build="b",
            run_id="r",
            waits=[_point("names[*]/wait", COMPUTED)],
            at=1,
        )
        store.append("r", 0, [started])
        assert deliver(store, "r", "names[1]/wait", "vote-bo", "1").number == 1
        store.append("r", 1, [WaitStarted(path="names[0]/wait", event="vote-al", at=2)])
        assert deliver(store, "r", "names[0]/wait", "vote-al", "1").number == 2
        with pytest.raises(UnknownEvent, match="did you mean 'vote-al'"):
            deliver(store, "r", "names[0]/wait", "vote-bo", "1")


def test_a_run_that_has_ended_takes_no_events(store: MemoryBackend) -> None:
    """Delivering to a finished run is an error of the kind "no such"."""
    store.append("order-1", 1, [RunCompleted(result=Raw(encode(1)), at=2)])
    with pytest.raises(RunEnded, match="is completed and takes no more events") as caught:
        deliver(store, "order-1", "approved", "approved", "{}")
    assert caught.value.exit_code == 4


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("approved", "approved", True),
        ("lines[*]/x", "lines[0]/x", True),
        ("lines[*]/x", "lines[0]/y[1]/x", False),
        ("a[*]/b[*]/c", "a[0]/b[k%2F1]/c", True),
        ("a.b", "aXb", False),
        ("visit/**/x", "visit/x", True),
        ("visit/**/x", "visit/nodes[1]/visit/visit/x", True),
        ("visit/**/x", "visit/xx", False),
        ("visit/**/x", "visitx", False),
    ],
)
def test_a_pattern_stands_for_the_paths_of_its_loops(pattern: str, path: str, expected: bool) -> None:
    """A star is the key of one loop, two are the depth of a recursion, and nothing else is special."""
    assert matches(pattern, path) is expected


def test_the_printed_command_delivers(store: MemoryBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command works as it is printed: quoted, with the place of the runs and a payload that fits."""
    monkeypatch.setenv("FLOPOD_DATA_DIR", "/data of/run")
    schema = _point("approved", "approved", Approval).schema
    program = ("python", "dist/my bundle.py")
    installed, bundled = deliver_commands("order-1", "approved", "approved", schema, "file", program)
    assert installed.startswith("FLOPOD_DATA_DIR='/data of/run' flopod-run deliver --backend file order-1 ")
    run_id, path, event, payload = shlex.split(installed)[-4:]
    assert deliver(store, run_id, path, event, payload).number == 1
    expected = ["python", "dist/my bundle.py", "--run-id", "order-1", "--backend", "file"]
    assert shlex.split(bundled)[1:-4] == expected
    assert shlex.split(bundled)[-4:] == ["--deliver", "approved", "approved", payload]


@pytest.mark.parametrize(
    "payload",
    [str, int, float, bool, Approval, list[Approval], dict[str, int], int | None, tuple[int, str]],
    ids=str,
)
def test_a_sample_fits_its_schema(payload: Any) -> None:
    """The payload that is proposed is one that would be accepted."""
    schema = json_schema(payload)
    assert schema is not None
    check_schema(schema, sample(schema))


def test_wait_points_carry_the_schema_of_their_type() -> None:
    """A payload type is evaluated in the module that names it; what cannot be, takes anything."""
    module = ModuleType("shop")
    module.__dict__["Approval"] = Approval
    waits = [
        WaitEntry("approved", "approved", "Approval", "shop"),
        WaitEntry("other", "other", "Nowhere", "shop"),
        WaitEntry("any", "any"),
    ]
    entry = WorkflowEntry("fulfil", "shop", "fulfil", waits=waits)
    first, second, third = wait_points(entry, lambda _name: module)
    assert first.schema is not None
    assert json.loads(bytes(first.schema)) == json_schema(Approval)
    assert second.schema is None
    assert third.schema is None


def test_an_error_names_the_near_run_and_the_wrong_field_as_data(store: MemoryBackend) -> None:
    """Who answers for another program does not have to read them out of the text."""
    with pytest.raises(UnknownRun) as unknown:
        deliver(store, "order-2", "approved", "approved", "{}")
    with pytest.raises(BadInput) as wrong:
        deliver(store, "order-1", "approved", "approved", '{"by": 7}')
    assert unknown.value.near == ["order-1"]
    assert wrong.value.field == "by"


def test_a_near_run_is_looked_for_among_the_youngest_alone() -> None:
    """A wrong id costs the same however many runs there are."""

    class Counted(MemoryBackend):
        asked: ClassVar[list[int | None]] = []

        def summaries(
            self, status: Any = None, workflow: Any = None, limit: int | None = None, cursor: Any = None
        ) -> list[RunSummary]:
            self.asked.append(limit)
            return super().summaries(status, workflow, limit, cursor)

    with Counted() as store, pytest.raises(UnknownRun):
        deliver(store, "order-2", "approved", "approved", "{}")
    assert Counted.asked == [500]
