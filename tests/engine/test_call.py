"""The call that started a run: when another one is the same, and what is said when the code moved on."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest

from flopod.backends.memory import MemoryBackend
from flopod.engine.call import check_fits, check_same
from flopod.engine.clock import VirtualClock
from flopod.engine.run import run_workflow
from flopod.errors import BuildMismatch, DivergenceError, InputChanged
from flopod.events import RunStarted
from flopod.workflow.inputs import input_document, recorded_call
from tests.engine.support import RUN, kinds, take_identity


@dataclass
class Line:
    sku: str
    price: Decimal = Decimal("1.50")
    tags: set[str] = field(default_factory=set)


async def leaf() -> None: ...


FIRST = Line("a")


async def order(
    wf: Any, order_id: str, line: Line = FIRST, *rest: int, note: str = "", key: Any = leaf, **more: int
) -> str:
    del line, rest, note, key, more
    await wf.activity("leaf", leaf)
    return order_id


Given = tuple[Sequence[Any], Mapping[str, Any]]


def _started(args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None) -> RunStarted:
    document = input_document(args, kwargs or {})
    assert document is not None
    return RunStarted(at=1, workflow="order", input=document, run_id=RUN)


@pytest.mark.parametrize(
    ("recorded", "given"),
    [
        ((["A"], {}), ([], {"order_id": "A"})),
        ((["A"], {}), ([], {"note": "", "order_id": "A", "line": Line("a")})),
        ((["A", Line("a")], {"key": leaf}), (["A"], {})),
        ((["A", Line("b", tags={"x", "y"})], {}), (["A", Line("b", tags={"y", "x"})], {})),
        ((["A", Line("a"), 1], {"x": 2, "y": 3}), (["A", Line("a"), 1], {"y": 3, "x": 2})),
        ((["A"], {"x": float("nan")}), (["A"], {"x": float("nan")})),
    ],
)
def test_two_spellings_of_a_call_are_the_same(recorded: Given, given: Given) -> None:
    """By place or by name, in any order, with a default written out or left out."""
    check_same(RUN, _started(*recorded), "order", input_document(*given), order)
    check_same(RUN, _started(*given), "order", input_document(*recorded), order)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ((["B"], {}), 'recorded {"order_id": "A"}, given {"order_id": "B"}'),
        ((["A"], {"note": "x"}), 'recorded {"note": ""}, given {"note": "x"}'),
        (
            (["A", Line("a", Decimal("2"))], {}),
            'recorded {"line": {"sku": "a", "price": "1.50", "tags": []}}, '
            'given {"line": {"sku": "a", "price": "2", "tags": []}}',
        ),
        ((["A"], {"x": 1}), 'recorded {}, given {"x": 1}'),
        ((["A", Line("a"), True], {}), 'recorded {"rest": []}, given {"rest": [true]}'),
    ],
)
def test_the_arguments_that_differ_are_shown_as_json(given: Given, message: str) -> None:
    """Without the tags of the log, and without those that are the same."""
    with pytest.raises(InputChanged) as caught:
        check_same(RUN, _started(["A"]), "order", input_document(*given), order)
    assert message in str(caught.value)


def test_values_of_different_types_differ() -> None:
    """`1`, `1.0` and `True` are equal in Python, and are other inputs."""
    for value in (1.0, True):
        with pytest.raises(InputChanged):
            check_same(RUN, _started(["A"], {"x": 1}), "order", input_document(["A"], {"x": value}), order)


def test_a_document_gives_the_call_back() -> None:
    """By place, by name, both, or nothing at all."""
    calls: list[Given] = [([1], {}), ([], {"a": 1}), ([1], {"a": 2}), ([], {})]
    for args, kwargs in calls:
        document = input_document(args, kwargs)
        assert document is not None
        assert recorded_call(document) == (args, kwargs)
    assert input_document(None, None) is None


async def renamed(wf: Any, order_no: str) -> str:
    await wf.activity("leaf", leaf)
    return order_no


async def fewer(_: Any) -> None: ...


async def more(_: Any, order_id: str, when: int) -> None: ...


async def fewer_by_place(_: Any, order_id: str, /) -> None: ...


@pytest.mark.parametrize(
    ("function", "call", "why"),
    [
        (renamed, ([], {"order_id": "A"}), "the input has 'order_id', the workflow now takes 'order_no'"),
        (fewer, ([], {"order_id": "A"}), "has 'order_id', which the workflow does not take any more"),
        (more, ([], {"order_id": "A"}), "has no 'when', which the workflow now needs"),
        (fewer_by_place, (["A", "B"], {}), "does not take the input any more: too many positional arguments"),
    ],
)
def test_a_changed_signature_is_named(function: Callable[..., Any], call: Given, why: str) -> None:
    """The error says what the log has and what the code wants, and which build is needed."""
    with pytest.raises(BuildMismatch, match="needs the build one, this is two") as caught:
        check_fits(RUN, _started(*call), function, "one", "two")
    assert why in str(caught.value)
    with pytest.raises(DivergenceError) as diverged:
        check_fits(RUN, _started(*call), function, "", "")
    assert why in str(diverged.value)


def test_a_renamed_parameter_does_not_fail_the_run() -> None:
    """A resume ends with the reason and writes nothing; the old code can still go on."""
    backend = MemoryBackend()

    def run(function: Callable[..., Any], store: MemoryBackend, **options: Any) -> Any:
        identity = take_identity(options)
        return asyncio.run(
            run_workflow(function, identity=identity, backend=store, clock=VirtualClock(), **options)
        )

    run(order, backend, kwargs={"order_id": "A"}, build="one")
    cut = backend.prefix(RUN, 2, crashed=False)
    before = kinds(cut)
    for given in ({}, {"kwargs": {"order_no": "A"}}):
        with pytest.raises(BuildMismatch, match="'order_id', the workflow now takes 'order_no'"):
            run(renamed, cut, build="two", **given)
    assert kinds(cut) == before
    assert run(order, cut, build="one").value == "A"
    assert run(renamed, backend, build="two").value == "A"
