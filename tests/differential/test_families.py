"""Programs that detach: what they forget ends as plain Python's does, and the checks catch what is broken."""

from collections.abc import Callable

import pytest

from flopod.testing.life import Life
from tests.differential.families import family
from tests.differential.generate import prelude

PROGRAM = """
@workflow
async def flow(n):
    asyncio.create_task(telling(n))
    task = asyncio.create_task(num(n))
    detach_and_forget(LATER, told, n, input_mapper=double)
    handles = []
    for k in range(2):
        handles.append(detach_and_join_later(immediate_driver, told, k))
    seen = [handles[0].status]
    for handle in handles:
        try:
            seen.append(await handle.wait())
        except Oops as late:
            seen.append(late.args)
    return [seen, handles[0].status, await task]
"""

TEXT = prelude(True) + PROGRAM
FAULTS = {
    "forget dropped": ('wf.forget("telling", telling, n)', "None"),
    "forget made a call": ('wf.forget("telling", telling, n)', 'await wf.call("telling", telling, n)'),
    "task made a forget": ('asyncio.create_task(wf.activity("num", num, n))', 'wf.forget("num", num, n)'),
    "detach dropped": ('wf.detach_and_forget("told", LATER, told, n, input_mapper=double)', "None"),
    "mapper lost": (", input_mapper=double", ""),
    "another child": ("immediate_driver, told, k", "immediate_driver, num, k"),
    "another driver": ("immediate_driver, told, k", "LATER, told, k"),
    "input of a join lost": ("immediate_driver, told, k", "immediate_driver, told, 0"),
    "handle of the last item": ("await handle.wait()", "await handles[-1].wait()"),
    "scope of the workflow": ("wf_k.detach_and_join_later", "wf.detach_and_join_later"),
}


def checked(change: Callable[[str], str] = str) -> list[str]:
    """Check the program for three inputs, one of which fails what is forgotten, and give its calls."""
    calls = []
    with family(TEXT, change) as made:
        for given in (0, 3, 5):
            made.count_calls(given)
            made.check(given, 0, lambda _: None)
            calls += made.plain_calls(given)
    return calls


def test_what_is_forgotten_ends() -> None:
    """A workflow that is forgotten calls all that it calls, and so does what begins after the end."""
    calls = checked()
    assert 'flow:num [[1],{"b":8}]' in calls
    assert "flow:told [[10],{}]" in calls


@pytest.mark.parametrize("fault", FAULTS)
def test_a_miscompiled_detach_is_caught(fault: str) -> None:
    """Emitted code with this fault fails the checks that the right code passes."""
    old, new = FAULTS[fault]

    def change(text: str) -> str:
        assert old in text, "the fault found nothing to break"
        return text.replace(old, new)

    with pytest.raises(AssertionError):
        checked(change)


def test_children_that_are_left_lying_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that does not take up what its run has detached fails the checks."""
    monkeypatch.setattr(Life, "_open_kin", lambda _: [])
    with pytest.raises(AssertionError, match="ends, uninterrupted: completed"):
        checked()
