"""Webhooks from the wish to the receiver: over ends, crashes, other processes and receivers in trouble."""

import asyncio
import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from flopod.backends import Backend, MemoryBackend, SqliteBackend
from flopod.backends.base import now_ms
from flopod.backends.lock import Hold
from flopod.errors import BadInput, StorageError
from flopod.server.live import Live
from flopod.server.observed import observed
from flopod.server.settings import Settings
from flopod.server.webhooks import Book, Webhook, Webhooks, book, dispatcher
from flopod.server.webhooks.request import Answer
from flopod.server.webhooks.signature import made_of
from tests.server.webhooks.receiver import Got, Receiver
from tests.server.webhooks.runs import begin, end, resume

pytestmark = pytest.mark.process

SETTINGS = Settings(secret=b"s" * 32, webhook_private=True, public_url="https://f.example")
SECRET = made_of(SETTINGS.secret)

Use = Callable[[Webhooks], Any]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try again at once."""
    monkeypatch.setattr(book, "PAUSES", (50,))


def serve(store: Backend, use: Use, settings: Settings = SETTINGS) -> Webhooks:
    """Send webhooks while `use` runs."""

    async def main() -> Webhooks:
        webhooks = Webhooks(store, settings)
        serving = asyncio.create_task(webhooks.serve(Live(store, poll=0.05)))
        try:
            await use(webhooks)
        finally:
            serving.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await serving
        return webhooks

    return asyncio.run(main())


async def came(receiver: Receiver, count: int = 1) -> list[Got]:
    return await asyncio.to_thread(receiver.wait, count)


async def settled(webhooks: Webhooks, run_id: str) -> Webhook:
    """The webhook of a run once it is over."""
    while True:
        found = webhooks.book.of(run_id)
        if found is not None and found.ended_at is not None:
            return found
        await asyncio.sleep(0.02)


@pytest.mark.parametrize(
    ("how", "more"),
    [
        ("completed", {"result": {"total": 3}}),
        ("failed", {"error": {"type": "ValueError", "message": "ValueError: no stock"}}),
        ("cancelled", {"error": {"message": "not wanted"}}),
    ],
)
def test_an_end_is_told(receiver: Receiver, how: str, more: dict[str, Any]) -> None:
    """With what came of the run, signed, once."""
    store = observed(MemoryBackend())

    async def use(webhooks: Webhooks) -> None:
        await webhooks.expect("a", receiver.url)
        begin(store, "a")
        await asyncio.sleep(0.2)
        assert receiver.got == []
        end(store, "a", how, {"total": 3})
        await came(receiver)
        webhook = await settled(webhooks, "a")
        assert (webhook.state, webhook.attempts, webhook.said) == ("delivered", 1, "204 No Content")
        await asyncio.sleep(0.2)

    serve(store, use)
    (got,) = receiver.got
    data = {"run_id": "a", "workflow": "greet", "status": how, "url": "https://f.example/runs/a", **more}
    assert got.document == {"type": f"run.{how}", "timestamp": "2023-11-14T22:13:20.001Z", "data": data}
    assert got.is_signed_by(SECRET)
    assert abs(int(got.headers["webhook-timestamp"]) - time.time()) < 30


def test_a_refusing_receiver_is_tried_again_with_the_same_message(receiver: Receiver) -> None:
    """So that it can tell that it has it already."""
    store = observed(MemoryBackend())
    receiver.answers = [500, 302, 404, 200]

    async def use(webhooks: Webhooks) -> None:
        await webhooks.expect("a", receiver.url)
        begin(store, "a")
        end(store, "a")
        webhook = await settled(webhooks, "a")
        assert (webhook.state, webhook.attempts) == ("delivered", 4)

    webhooks = serve(store, use)
    assert len({(got.headers["webhook-id"], got.body) for got in receiver.got}) == 1
    assert all(got.is_signed_by(SECRET) for got in receiver.got)
    text = "".join(family.text for family in webhooks.families())
    assert 'attempts_total{outcome="retried"} 3' in text
    assert 'attempts_total{outcome="delivered"} 1' in text


def test_a_receiver_that_wants_no_more_gets_no_more(receiver: Receiver) -> None:
    """410 ends it; what became of it can be looked at."""
    store = observed(MemoryBackend())
    receiver.answers = [410]

    async def use(webhooks: Webhooks) -> None:
        await webhooks.expect("a", receiver.url)
        begin(store, "a")
        end(store, "a")
        webhook = await settled(webhooks, "a")
        assert (webhook.state, webhook.attempts, webhook.said) == ("failed", 1, "410 Gone")

    serve(store, use)
    assert Book(store).all_open() == []


def test_tries_come_later_and_later_for_three_days() -> None:
    """Each some more or less; a receiver may ask for more time, up to the longest pause."""
    webhook = Webhook(run_id="a", url="http://x", created_at=0, message_id="m").due(0)
    now, pauses = 0, []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            book, "PAUSES", tuple(s * 1000 for s in (5, 30, 120, 600, 1800, 3600, 7200, 14400, 21600))
        )
        while webhook.state == "due":
            after = webhook.tried(Answer(500), now)
            pauses.append(after.next_at - now)
            webhook, now = after, after.next_at
        asked = Webhook(run_id="a", url="http://x", created_at=0, message_id="m").due(0)
        assert asked.tried(Answer(429, wait=3_600_000), 0).next_at == 3_600_000
        assert asked.tried(Answer(429, wait=10**12), 0).next_at == 21_600_000
    assert 4000 <= pauses[0] <= 6000
    assert 17_000_000 <= pauses[-2] <= 26_000_000
    assert 60 * 3_600_000 <= webhook.ended_at <= 72 * 3_600_000  # type: ignore[operator]
    assert webhook.state == "failed"


def test_what_another_process_ends_is_told(receiver: Receiver, tmp_path: Path) -> None:
    """The store says so, if nobody here does."""
    store = observed(SqliteBackend(tmp_path / "flopod.db"))
    other = SqliteBackend(tmp_path / "flopod.db")

    async def use(webhooks: Webhooks) -> None:
        await webhooks.expect("a", receiver.url)
        begin(other, "a")
        await asyncio.sleep(0.3)
        end(other, "a")
        await came(receiver)

    serve(store, use)


def test_one_process_sends_what_all_expect(receiver: Receiver, tmp_path: Path) -> None:
    """Once; when it ends, another one takes over."""
    place = tmp_path / "flopod.db"
    store, other = observed(SqliteBackend(place)), observed(SqliteBackend(place))

    async def use(_: Webhooks) -> None:
        await asyncio.sleep(0.3)
        second = Webhooks(other, SETTINGS)
        serving = asyncio.create_task(second.serve(Live(other, poll=0.05)))
        await asyncio.sleep(0.3)
        await second.expect("a", receiver.url)
        begin(other, "a")
        end(other, "a")
        await came(receiver)
        await settled(second, "a")
        await asyncio.sleep(0.5)
        serving.cancel()

    serve(store, use)
    assert len(receiver.got) == 1


def test_what_was_over_before_it_was_expected_is_told(receiver: Receiver) -> None:
    """As a start that is made again may come late. Expected twice it is told once."""
    store = observed(MemoryBackend())

    async def use(webhooks: Webhooks) -> None:
        await asyncio.sleep(0.2)
        begin(store, "a")
        end(store, "a")
        await webhooks.expect("a", receiver.url)
        await settled(webhooks, "a")
        await webhooks.expect("a", receiver.url)
        await asyncio.sleep(0.3)

    serve(store, use)
    assert len(receiver.got) == 1


def test_a_run_that_is_retried_before_it_was_told_is_told_when_it_ends(receiver: Receiver) -> None:
    """Its first end is none any more."""
    store = observed(MemoryBackend())

    async def first(webhooks: Webhooks) -> None:
        await webhooks.expect("a", "http://127.0.0.1:1/")
        begin(store, "a")
        end(store, "a", "failed")
        while (webhooks.book.open("a") or Webhook).attempts == 0:  # type: ignore[union-attr]
            await asyncio.sleep(0.02)

    serve(store, first)
    resume(store, "a")
    opened = Book(store).open("a")
    assert opened is not None
    Book(store).keep(replace(opened, url=receiver.url, next_at=0))

    async def then(webhooks: Webhooks) -> None:
        await asyncio.sleep(0.3)
        assert receiver.got == []
        end(store, "a", after=3)
        await settled(webhooks, "a")

    serve(store, then)
    assert [got.document["type"] for got in receiver.got] == ["run.completed"]


def test_a_slow_receiver_does_not_hold_up_another(receiver: Receiver) -> None:
    """Each has its own lane."""
    store = observed(MemoryBackend())
    slow = Receiver(lambda _: time.sleep(3))

    async def use(webhooks: Webhooks) -> None:
        for number in range(100):
            run_id = f"slow-{number}"
            await webhooks.expect(run_id, slow.url)
            begin(store, run_id)
            end(store, run_id)
        await webhooks.expect("quick", receiver.url)
        begin(store, "quick")
        end(store, "quick")
        began = time.monotonic()
        await came(receiver)
        assert time.monotonic() - began < 2.5

    serve(store, use)
    slow.close()


def test_private_addresses_are_refused_unless_they_are_allowed(receiver: Receiver) -> None:
    """When it is asked for, and when it is sent: the server may have been started otherwise meanwhile."""
    store = observed(MemoryBackend())
    strict = Settings(secret=SETTINGS.secret)
    with pytest.raises(BadInput, match="--webhook-private"):
        asyncio.run(Webhooks(store, strict).expect("a", receiver.url))
    assert Book(store).of("a") is None
    Book(store).expect("a", receiver.url, now_ms(), announced=False)
    begin(store, "a")
    end(store, "a")

    async def use(webhooks: Webhooks) -> None:
        while (found := webhooks.book.open("a")) is None or not found.attempts:
            await asyncio.sleep(0.02)
        assert "no public address" in found.said

    serve(store, use, strict)
    assert receiver.got == []


def test_what_will_never_end_is_forgotten() -> None:
    """A run that never began within a day, and what was over a week ago."""
    store = observed(MemoryBackend())
    now, day = now_ms(), 24 * 3_600_000
    kept = Book(store)
    kept.expect("never", "http://x.example/", now - 2 * day, announced=False)
    kept.expect("soon", "http://x.example/", now, announced=False)
    old = kept.expect("old", "http://x.example/", now - 9 * day, announced=False).due(now - 8 * day)
    kept.keep(old.tried(Answer(200), now - 8 * day))
    assert kept.of("old") is not None

    async def use(_: Webhooks) -> None:
        while kept.of("never") is not None or kept.of("old") is not None:
            await asyncio.sleep(0.02)

    serve(store, use)
    assert [each.run_id for each in kept.all_open()] == ["soon"]


def test_a_large_result_is_fetched_from_the_server(receiver: Receiver) -> None:
    """The webhook says how large it is."""
    store = observed(MemoryBackend())

    async def use(webhooks: Webhooks) -> None:
        await webhooks.expect("a", receiver.url)
        begin(store, "a")
        end(store, "a", "completed", "x" * 300_000)
        await came(receiver)

    serve(store, use)
    assert receiver.got[0].document["data"]["result_size"] == 300_002
    assert len(receiver.got[0].body) < 1000


class Sender:
    """The process of sending.py."""

    def __init__(self, place: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.server.webhooks.sending", str(place)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            text=True,
        )

    def run(self, run_id: str, url: str) -> None:
        """Let a run begin and end there, and wait for that."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{run_id} {url}\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline().strip() == run_id

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


def test_sigkill_between_end_and_delivery_loses_nothing(tmp_path: Path) -> None:
    """What was ended and not told is told by the next process; each message by its own id."""
    holding = Receiver(lambda _: time.sleep(60))
    sender = Sender(tmp_path / "flopod.db")
    ids = [f"run-{number}" for number in range(5)]
    for run_id in ids:
        sender.run(run_id, holding.url)
    holding.wait(1)
    sender.kill()
    holding.answers = [204]
    before = {got.document["data"]["run_id"]: got.headers["webhook-id"] for got in holding.got}
    again = Sender(tmp_path / "flopod.db")
    limit = time.monotonic() + 30
    store = SqliteBackend(tmp_path / "flopod.db")
    while any((found := Book(store).of(run_id)) is None or found.state != "delivered" for run_id in ids):
        assert time.monotonic() < limit
        time.sleep(0.05)
    again.kill()
    told = {got.document["data"]["run_id"]: got.headers["webhook-id"] for got in holding.got}
    assert set(told) == set(ids)
    assert before.items() <= told.items()
    assert len(set(told.values())) == 5
    holding.close()


class Away(MemoryBackend):
    """A store that says `times` times that it cannot be reached when it is asked who sends."""

    times = 2

    def hold(self, run_id: str) -> Hold:
        if run_id == "flopod.webhooks" and self.times:
            self.times -= 1
            raise StorageError("the server is away")
        return super().hold(run_id)


def test_webhooks_are_sent_once_the_store_is_there_again(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who cannot find out whether it is the one that sends asks again."""
    monkeypatch.setattr(dispatcher, "_AGAIN", 0.02)
    store = observed(Away())

    async def use(webhooks: Webhooks) -> None:
        await webhooks.expect("r", receiver.url)
        begin(store, "r")
        end(store, "r")
        await came(receiver)

    serve(store, use)
    assert receiver.got[0].document["data"]["run_id"] == "r"
