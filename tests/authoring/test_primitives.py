"""sleep, wait_for, parallel, race, log and what comes later, uncompiled."""

import asyncio
import io
import json
import subprocess
import sys
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import flopod
from flopod import authoring, log, parallel, race, sleep, sleep_until, wait_for
from flopod.errors import BadInput


@dataclass
class Approval:
    by: str


def test_sleep_takes_durations_and_moments() -> None:
    """Both sleep at least that long, and a moment in the past not at all."""

    async def main() -> None:
        await sleep("30ms")
        await sleep_until(time.time() + 0.03)
        await sleep_until(0)

    began = time.monotonic()
    asyncio.run(main())
    assert 0.05 <= time.monotonic() - began < 2


def test_wait_for_takes_from_the_local_inbox(monkeypatch: pytest.MonkeyPatch) -> None:
    """Payloads are taken in their order and decoded to the type."""
    monkeypatch.setattr(authoring, "local_inbox", {"approved": deque([{"by": "Ada"}, {"by": "Bob"}])})

    async def main() -> list[Any]:
        return [await wait_for("approved", Approval), await wait_for("approved")]

    assert asyncio.run(main()) == [Approval("Ada"), {"by": "Bob"}]


def test_wait_for_sees_what_arrives_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """An event that another task delivers ends the wait."""
    inbox: dict[str, deque[Any]] = {}
    monkeypatch.setattr(authoring, "local_inbox", inbox)

    async def deliver() -> None:
        await asyncio.sleep(0.03)
        inbox["go"] = deque([1])

    async def main() -> Any:
        task = asyncio.create_task(deliver())
        found = await wait_for("go", int, timeout=5)
        await task
        return found

    assert asyncio.run(main()) == 1


def test_wait_for_ends_with_none_after_its_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    """No event within the timeout is None, in not much more than that time."""
    monkeypatch.setattr(authoring, "local_inbox", {})
    began = time.monotonic()
    assert asyncio.run(wait_for("never", timeout="50ms")) is None
    assert 0.04 <= time.monotonic() - began < 1


def test_a_payload_of_another_shape_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the event and the field."""
    monkeypatch.setattr(authoring, "local_inbox", {"approved": deque([{"by": 5}])})
    with pytest.raises(BadInput, match=r"approved\.by"):
        asyncio.run(wait_for("approved", Approval))


def test_wait_for_reads_the_file_that_the_environment_names(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Each line is one event, taken once; an unfinished last line waits for its end."""
    path = tmp_path / "inbox.jsonl"
    lines = [{"event": "b", "payload": 2}, {"event": "a", "payload": 1}, {"event": "a", "payload": 3}]
    path.write_text("\n".join(map(json.dumps, lines)) + '\n{"event": "a", "payl')
    monkeypatch.setenv("FLOPOD_INBOX", str(path))

    async def main() -> list[Any]:
        return [await wait_for(event, timeout=0.05) for event in ("a", "a", "a", "b")]

    assert asyncio.run(main()) == [1, 3, None, 2]


def test_a_damaged_inbox_file_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """File and line of what is not JSON, or not an object."""
    for number, text in enumerate(["nonsense\n", "[]\n"]):
        path = tmp_path / f"inbox{number}.jsonl"
        path.write_text(text)
        monkeypatch.setenv("FLOPOD_INBOX", str(path))
        with pytest.raises(BadInput, match="line 1"):
            asyncio.run(wait_for("a", timeout=1))


def test_wait_for_asks_on_the_terminal(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    """Without an inbox it asks on standard error and reads one JSON line; no answer is an error."""
    monkeypatch.delenv("FLOPOD_INBOX", raising=False)
    monkeypatch.setattr(sys, "stdin", io.StringIO('{"by": "Ada"}\nnonsense\n'))
    assert asyncio.run(wait_for("approved", Approval)) == Approval("Ada")
    assert "'approved'" in capsys.readouterr().err
    with pytest.raises(BadInput, match="not JSON"):
        asyncio.run(wait_for("approved"))
    with pytest.raises(BadInput, match="FLOPOD_INBOX"):
        asyncio.run(wait_for("approved"))


async def later(value: Any, delay: float = 0.0) -> Any:
    """Return a value, or raise it, after a while."""
    await asyncio.sleep(delay)
    if isinstance(value, Exception):
        raise value
    return value


def test_parallel_names_its_results() -> None:
    """Results are read by attribute and by key, in the order of the arms."""

    async def main() -> Any:
        return await parallel(user=later("Ada", 0.02), orders=later([1]))

    results = asyncio.run(main())
    assert (results.user, results["orders"]) == ("Ada", [1])
    assert dict(results) == {"user": "Ada", "orders": [1]}
    assert repr(results) == "Results(user='Ada', orders=[1])"
    with pytest.raises(AttributeError, match="there is: user, orders"):
        _ = results.nobody


def test_the_first_error_of_parallel_cancels_the_others() -> None:
    """The error is raised when nothing of the group runs any more."""
    ended: list[str] = []

    async def slow() -> None:
        try:
            await asyncio.sleep(5)
        finally:
            ended.append("slow")

    async def main() -> None:
        await parallel(slow=slow(), bad=later(ValueError("x"), 0.01))

    with pytest.raises(ValueError, match="x"):
        asyncio.run(main())
    assert ended == ["slow"]


def test_race_gives_the_winner_and_cancels_the_losers() -> None:
    """The first arm to end wins, an error included."""

    async def main() -> None:
        winner = await race(slow=later(1, 5), quick=later(2, 0.01))
        assert (winner.name, winner.value) == ("quick", 2)
        assert len(asyncio.all_tasks()) == 1
        with pytest.raises(ValueError, match="x"):
            await race(slow=later(1, 5), bad=later(ValueError("x")))
        with pytest.raises(ValueError, match="at least one"):
            await race()

    asyncio.run(main())


def test_log_writes_to_standard_error(capsys: Any) -> None:
    """Message and fields on one line."""
    log("charged", order="A-1", total=5)
    assert capsys.readouterr().err == "charged order=A-1 total=5\n"


def test_every_name_of_the_surface_is_there() -> None:
    """What the package lists can be imported from it, and nothing else."""
    assert all(getattr(flopod, name) is not None for name in flopod.__all__ if name != "create_runtime")
    with pytest.raises(AttributeError, match="nonsense"):
        flopod.nonsense  # noqa: B018


def test_packages_of_the_runtime_do_not_hide_the_surface() -> None:
    """`flopod.workflow` and `flopod.log` stay the author's names when packages of those names are loaded."""
    program = (
        "import flopod.workflow, flopod.log, flopod\n"
        "from flopod.workflow import paths\n"
        "from flopod import workflow, log\n"
        "print(workflow.__module__, log.__module__, flopod.log is log)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "flopod.authoring flopod.authoring True\n"


def test_importing_flopod_loads_nothing_heavy() -> None:
    """The package itself loads neither asyncio nor its own parts."""
    program = (
        "import sys, flopod; print([m for m in sys.modules if m.startswith('flopod.') or m == 'asyncio'])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
