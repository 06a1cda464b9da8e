"""What is to be told of which run, kept in the store beside the runs."""

import random
from typing import Literal, TypeAlias

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from flopod.backends.base import Backend
from flopod.runid import new_run_id
from flopod.server.webhooks.request import Answer

State: TypeAlias = Literal["waiting", "due", "delivered", "failed"]

PAUSES = tuple(seconds * 1000 for seconds in (5, 30, 120, 600, 1800, 3600, 7200, 14400, 21600))
"""Milliseconds between tries; the last one is repeated."""

GIVES_UP = 72 * 3600 * 1000
"""Milliseconds from the end of the run until there is no further try."""

KEPT = 7 * 24 * 3600 * 1000
"""Milliseconds for which what is delivered, or given up, can be looked at."""

_OPEN = "webhooks"
_DONE = "webhooks-done"
_NEWS = "webhooks-news"


class Webhook(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is to be told of a run, and how far that is. Times are milliseconds since the epoch.

    It is `waiting` for the run to end, `due` from then on, and in the end `delivered` or `failed`.
    `message_id` is the same for every try; `next_at` is when the next one is due. `said` is what came of the
    last one, `secret` names what signs it.
    """

    run_id: str
    url: str
    created_at: int
    message_id: str
    state: State = "waiting"
    attempts: int = 0
    due_at: int | None = None
    next_at: int = 0
    ended_at: int | None = None
    said: str = ""
    secret: str = "server"

    def due(self, now: int) -> "Webhook":
        """Return it as it is when its run has ended."""
        return replace(self, state="due", due_at=now, next_at=now)

    def tried(self, answer: Answer, now: int) -> "Webhook":
        """Return it as it is after a try."""
        tried = replace(self, attempts=self.attempts + 1, said=answer.reason)
        if answer.is_delivered:
            return replace(tried, state="delivered", ended_at=now)
        since = now if self.due_at is None else self.due_at
        next_at = now + max(_pause(tried.attempts), min(answer.wait, PAUSES[-1]))
        if answer.is_unwanted or next_at - since > GIVES_UP:
            return replace(tried, state="failed", ended_at=now)
        return replace(tried, next_at=next_at)


def _pause(attempts: int) -> int:
    """Some more or less, so that what failed together does not come again together."""
    return int(PAUSES[min(attempts, len(PAUSES)) - 1] * random.uniform(0.8, 1.2))


_decode = msgspec.json.Decoder(Webhook).decode


class Book:
    """The webhooks of a store, one a run. What is over is kept apart: what is open is read quickly."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def of(self, run_id: str) -> Webhook | None:
        """Return the webhook of a run, None if it has none."""
        document = self._backend.kept(_OPEN, run_id) or self._backend.kept(_DONE, run_id)
        return None if document is None else _decode(document)

    def open(self, run_id: str) -> Webhook | None:
        """Return the webhook of a run if it is not over."""
        document = self._backend.kept(_OPEN, run_id)
        return None if document is None else _decode(document)

    def all_open(self) -> list[Webhook]:
        """Return those that are not over."""
        return [_decode(document) for document in self._backend.all_kept(_OPEN).values()]

    def expect(self, run_id: str, url: str, now: int, *, announced: bool) -> Webhook:
        """Keep what is to be told of a run; said again it stays what it was.

        `announced` tells it to the process that sends, where that is another one.
        """
        known = self.of(run_id)
        if known is not None and known.url == url:
            return known
        webhook = Webhook(run_id=run_id, url=url, created_at=now, message_id=f"msg_{new_run_id()}")
        self.keep(webhook)
        if announced:
            self._backend.keep(_NEWS, run_id, b"")
        return webhook

    def put_back(self, run_id: str, before: Webhook | None) -> None:
        """Let the webhook of a run be what it was before it was expected."""
        if before is None or before.ended_at is not None:
            self.remove(run_id)
        if before is not None:
            self.keep(before)

    def announced(self) -> list[Webhook]:
        """Return what other processes have written down since this was asked before."""
        run_ids = list(self._backend.all_kept(_NEWS))
        found = [webhook for run_id in run_ids if (webhook := self.open(run_id)) is not None]
        for run_id in run_ids:
            self._backend.drop(_NEWS, run_id)
        return found

    def remove(self, run_id: str) -> None:
        """Forget the webhook of a run that will never end, or was not started."""
        self._backend.drop(_OPEN, run_id)

    def keep(self, webhook: Webhook) -> None:
        """Keep a webhook as it is now. It is written to its new place before it leaves the old one."""
        is_over = webhook.ended_at is not None
        self._backend.keep(_DONE if is_over else _OPEN, webhook.run_id, msgspec.json.encode(webhook))
        if is_over:
            self._backend.drop(_OPEN, webhook.run_id)

    def drop_old(self, now: int) -> int:
        """Forget what was over long ago; return how many."""
        done = (_decode(document) for document in self._backend.all_kept(_DONE).values())
        old = [webhook.run_id for webhook in done if now - (webhook.ended_at or now) > KEPT]
        for run_id in old:
            self._backend.drop(_DONE, run_id)
        return len(old)
