"""Sends the webhooks of a store: one process of those that share it does, and no crash loses one."""

import asyncio
import contextlib
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from urllib.parse import urlsplit

from msgspec.structs import replace

from flopod.backends.base import Backend, now_ms
from flopod.backends.lock import Hold
from flopod.errors import FlopodError, RunHeld, StoppedByHook, StorageError, UsageError
from flopod.server.live import Changes, Live
from flopod.server.metrics import Family
from flopod.server.settings import Settings
from flopod.server.webhooks.addresses import target_of
from flopod.server.webhooks.book import Book, Webhook
from flopod.server.webhooks.ends import Ends
from flopod.server.webhooks.lanes import Lanes
from flopod.server.webhooks.request import Answer, post
from flopod.server.webhooks.signature import headers, keys_of, made_of
from flopod.server.webhooks.telling import tell

_LEADS = "flopod.webhooks"
_AGAIN = 5.0
_AFTER_TROUBLE = 60_000
_LEAST_PAUSE = 0.5
_TIDY = 3600.0
_AT_ONCE = 64
_AGENT = "flopod-webhooks/1"
_LOGGER = logging.getLogger("flopod.webhooks")


class Webhooks:
    """The webhooks of a store. `serve` sends them, in the one process of those at this store that gets to.

    `settings` have the secrets that sign them, and say whether private addresses are allowed.
    Raises BadInput for a secret that is none.
    """

    def __init__(self, backend: Backend, settings: Settings) -> None:
        self.book = Book(backend)
        self._backend = backend
        self._url = settings.public_url
        self._private = settings.webhook_private
        self._keys = keys_of(settings.webhook_secrets or [made_of(settings.secret)])
        self._ends = Ends(backend)
        self._lanes = Lanes()
        self._sending: set[asyncio.Task[None]] = set()
        self._counts: Counter[str] = Counter()
        self._woken = asyncio.Event()
        self._leads = False

    def check(self, url: str) -> None:
        """Raise BadInput, with the field `webhook`, if nothing may be sent there."""
        target_of(url, private=self._private)

    async def expect(self, run_id: str, url: str) -> None:
        """Note durably that the end of a run is to be told, which has been started.

        Raises BadInput, InvalidRunId, StorageError.
        """
        async with self.expecting(run_id, url):
            pass

    @contextlib.asynccontextmanager
    async def expecting(self, run_id: str, url: str) -> AsyncIterator[None]:
        """Note durably that the end of a run is to be told, before the block starts it.

        If that is refused, what is told to whom stays as it was. Raises BadInput, InvalidRunId, StorageError.
        """
        self.check(url)
        leads = self._leads
        before = await asyncio.to_thread(self.book.of, run_id)
        webhook = await asyncio.to_thread(self.book.expect, run_id, url, now_ms(), announced=not leads)
        try:
            yield
        except (UsageError, StoppedByHook):
            await asyncio.to_thread(self.book.put_back, run_id, before)
            raise
        if leads:
            self._take(await asyncio.to_thread(self._as_of_now, webhook))

    def _as_of_now(self, webhook: Webhook) -> Webhook:
        is_over = webhook.state == "waiting" and self._ends.has_ended(webhook.run_id)
        return self._become_due(webhook) if is_over else webhook

    def families(self) -> Iterable[Family]:
        """Return what is counted, for the metrics of the server."""
        counts = Family("flopod_webhook_attempts_total", "counter", "Webhooks that were sent, by outcome.")
        for outcome in ("delivered", "retried", "failed"):
            counts.add(self._counts[outcome], outcome=outcome)
        pending = Family(
            "flopod_webhooks_pending", "gauge", "Webhooks that wait for their run, or for a try."
        )
        pending.add(len(self._ends), state="waiting")
        pending.add(len(self._lanes) + len(self._sending), state="due")
        return (counts, pending)

    # -- serving ---------------------------------------------------------------------------------

    async def serve(self, live: Live) -> None:
        """Send webhooks until it is cancelled. Nothing is lost then: what was not taken is sent again."""
        while True:
            hold = await self._lead()
            try:
                await self._serve(live)
            except Exception:
                _LOGGER.warning("webhooks are not sent for a while", exc_info=True)
            finally:
                self._leads = False
                with contextlib.suppress(StorageError):
                    hold.release()
            await asyncio.sleep(_AGAIN)

    async def _lead(self) -> Hold:
        """Wait until this is the process that sends: another one may, or the store may be in trouble."""
        while True:
            with contextlib.suppress(RunHeld, StorageError):
                return await asyncio.to_thread(self._backend.hold, _LEADS)
            await asyncio.sleep(_AGAIN)

    async def _serve(self, live: Live) -> None:
        self._leads = True
        self._lanes.clear()
        try:
            async with asyncio.TaskGroup() as beside, live.watch(None) as changes:
                for webhook in await asyncio.to_thread(self.book.all_open):
                    self._take(webhook)
                beside.create_task(self._send_all(), name="flopod webhooks")
                beside.create_task(self._tidy(), name="flopod webhooks tidy")
                await self._look(None)
                await self._listen(changes)
        finally:
            for task in self._sending:
                task.cancel()
            await asyncio.gather(*self._sending, return_exceptions=True)

    def _take(self, webhook: Webhook) -> None:
        if webhook.state == "waiting":
            self._ends.wait_for(webhook.run_id, webhook.created_at)
        else:
            self._ends.forget(webhook.run_id)
        if webhook.state == "due":
            self._lanes.put(urlsplit(webhook.url).netloc, webhook.next_at, webhook.run_id)
            self._woken.set()

    # -- runs that end ---------------------------------------------------------------------------

    async def _listen(self, changes: Changes) -> None:
        async for news in changes:
            began = time.monotonic()
            # Nobody says which runs another process has written to: all are asked for, but not all the time.
            await self._look(None if news.more else self._ends.among(news.runs))
            pause = max(_LEAST_PAUSE, 10 * (time.monotonic() - began))
            if news.more and await changes.ended_within(pause):
                break
        await asyncio.Event().wait()  # the server stops, and cancels this

    async def _look(self, runs: list[str] | None) -> None:
        if runs is None or runs:
            for webhook in await asyncio.to_thread(self._found, runs):
                self._take(webhook)

    def _found(self, runs: list[str] | None) -> list[Webhook]:
        """The webhooks that have changed, by the ends of these runs, or with None of any."""
        announced = self.book.announced() if runs is None else []
        for webhook in announced:
            self._ends.wait_for(webhook.run_id, webhook.created_at)
        ended, gone = self._ends.ended(self._ends.grown() if runs is None else runs, now_ms())
        for run_id in gone:
            self._ends.forget(run_id)
            self.book.remove(run_id)
        opened = (self.book.open(run_id) for run_id in ended)
        return [self._become_due(webhook) for webhook in opened if webhook is not None]

    def _become_due(self, webhook: Webhook) -> Webhook:
        due = webhook.due(now_ms()) if webhook.state == "waiting" else webhook
        self.book.keep(due)
        return due

    # -- sending ---------------------------------------------------------------------------------

    async def _send_all(self) -> None:
        while True:
            self._woken.clear()
            pause = self._send_due()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._woken.wait()

    def _send_due(self) -> float | None:
        """Begin with what is due, as far as may be; return the seconds until there is more, if known."""
        while len(self._sending) < _AT_ONCE:
            taken = self._lanes.take(now_ms())
            if taken is None:
                next_due = self._lanes.next_due()
                return None if next_due is None else max(0.0, (next_due - now_ms()) / 1000)
            task = asyncio.create_task(self._send(*taken), name="flopod webhook")
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)
        return None

    async def _send(self, lane: str, run_id: str) -> None:
        try:
            webhook = await asyncio.to_thread(self.book.open, run_id)
            if webhook is not None and webhook.state == "due":
                self._take(await self._tried(webhook))
        except Exception:
            _LOGGER.warning("a webhook cannot be sent now", exc_info=True, extra={"run_id": run_id})
            self._lanes.put(lane, now_ms() + _AFTER_TROUBLE, run_id)
        finally:
            self._lanes.back(lane)
            self._woken.set()

    async def _tried(self, webhook: Webhook) -> Webhook:
        """Try once, and keep what came of it."""
        body = await asyncio.to_thread(tell, self._backend, webhook.run_id, self._url)
        if body is None:
            # A run that was retried ends again. One that was removed is waited for, for a while.
            after = replace(webhook, state="waiting", created_at=now_ms())
        else:
            answer = await self._post(webhook, body)
            after = webhook.tried(answer, now_ms())
            self._note(after, answer)
        await asyncio.to_thread(self.book.keep, after)
        return after

    async def _post(self, webhook: Webhook, body: bytes) -> Answer:
        try:
            target = target_of(webhook.url, private=self._private)
        except FlopodError as error:  # the server may have been started with other options since
            return Answer(0, str(error))
        signed = headers(self._keys, webhook.message_id, now_ms() // 1000, body)
        said = {"content-type": "application/json", "user-agent": _AGENT, "accept": "*/*", **signed}
        return await post(target, said, body, private=self._private)

    def _note(self, webhook: Webhook, answer: Answer) -> None:
        outcome = "retried" if webhook.state == "due" else webhook.state
        self._counts[outcome] += 1
        level = {"delivered": logging.DEBUG, "retried": logging.INFO}.get(outcome, logging.WARNING)
        text = "webhook %s at try %d: %s"
        extra = {"run_id": webhook.run_id, "webhook": webhook.message_id}
        _LOGGER.log(level, text, outcome, webhook.attempts, answer.reason, extra=extra)

    async def _tidy(self) -> None:
        while True:
            with contextlib.suppress(FlopodError):
                await asyncio.to_thread(self.book.drop_old, now_ms())
            await asyncio.sleep(_TIDY)
