"""What runs tell those who follow them: read from the store once, however many they are."""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncGenerator, Iterator
from itertools import islice
from typing import NamedTuple

import msgspec

from flopod.backends.base import Backend
from flopod.events import FINAL, encode_record, kind_of
from flopod.server.live import Changes, Live, News
from flopod.server.sse import BEAT, HEARTBEAT, frame

_CHUNK = 500
_KEPT = 1000
_MOST_RUNS = 200
_PAUSE = 0.5


class Frame(NamedTuple):
    """A record as it is sent."""

    seq: int
    text: bytes


class Streams:
    """The feeds of a store, one for each run that somebody follows, and one for all."""

    def __init__(self, backend: Backend, live: Live, heartbeat: float = HEARTBEAT) -> None:
        self._backend = backend
        self._live = live
        self._heartbeat = heartbeat
        self._feeds: dict[str, Feed] = {}
        self._overview = Overview(backend)

    @property
    def count(self) -> int:
        """How many clients follow something."""
        return self._live.count

    async def run(self, run_id: str, after: int) -> AsyncGenerator[bytes, None]:
        """Yield the records of a run after the record `after` as frames, until it is over."""
        async with self._live.watch(run_id) as changes:
            with self._feed(run_id, after) as feed:
                async for each in self._followed(feed, after, changes):
                    yield each

    async def _followed(self, feed: "Feed", after: int, changes: Changes) -> AsyncGenerator[bytes, None]:
        while not changes.has_ended:
            heard = feed.version
            frames = await feed.after(after)
            for each in frames:
                yield each.text
                after = each.seq
            if frames:
                continue
            if feed.is_over(after):
                return
            if heard != feed.version:
                continue
            if await changes.within(self._heartbeat) is not None:
                feed.changed()
            elif not changes.has_ended:
                yield BEAT

    @contextlib.contextmanager
    def _feed(self, run_id: str, after: int) -> "Iterator[Feed]":
        feed = self._feeds.get(run_id)
        if feed is None:
            feed = self._feeds[run_id] = Feed(self._backend, run_id, after)
        feed.followers += 1
        feed.changed()  # what it was told of before is for those who were there before
        try:
            yield feed
        finally:
            feed.followers -= 1
            if not feed.followers and self._feeds.get(run_id) is feed:
                del self._feeds[run_id]

    async def all(self) -> AsyncGenerator[bytes, None]:
        """Yield how many runs have each status, and which have changed, at most twice a second."""
        async with self._live.watch(None) as changes:
            yield await self._overview.frame(News(frozenset(), more=True))
            while not changes.has_ended:
                news = await changes.within(self._heartbeat)
                if news is not None:
                    yield await self._overview.frame(news)
                    await changes.ended_within(_PAUSE)
                elif not changes.has_ended:
                    yield BEAT


class Feed:
    """The last records of a run as frames: what all who follow it get, encoded once.

    `version` grows with what is known of the run.
    """

    def __init__(self, backend: Backend, run_id: str, after: int) -> None:
        self.followers = 0
        self.version = 0
        self._backend = backend
        self._run_id = run_id
        self._frames: deque[Frame] = deque()
        self._from = self._last = after
        self._is_stale = True
        self._over_at: int | None = None
        self._is_gone = False
        self._reading = asyncio.Lock()

    def changed(self) -> None:
        """Note that the run may have grown."""
        self._is_stale = True

    def is_over(self, after: int) -> bool:
        """Whether nothing will follow the record `after`, for a while at least."""
        return self._is_gone or (self._over_at is not None and after >= self._over_at)

    async def after(self, seq: int) -> list[Frame]:
        """Return records after that one, some at a time, none if there are none now."""
        if seq < self._from:
            return await asyncio.to_thread(self._read, seq)
        async with self._reading:
            if self._is_stale and seq >= self._last:
                await self._grow()
        return [each for each in self._frames if each.seq > seq][:_CHUNK]

    async def _grow(self) -> None:
        self._is_stale = False  # what is told from here on makes it stale again
        try:
            frames, over_at = await asyncio.to_thread(self._news, self._last)
        except BaseException:
            self._is_stale = True
            raise
        self._is_stale = self._is_stale or len(frames) == _CHUNK
        self._over_at = over_at
        self._frames.extend(frames)
        if frames:
            self._last = frames[-1].seq
            self.version += 1
        while len(self._frames) > _KEPT:
            self._from = self._frames.popleft().seq

    def _news(self, after: int) -> tuple[list[Frame], int | None]:
        frames = self._read(after)
        summary = self._backend.summary(self._run_id)
        self._is_gone = summary is None
        return frames, summary.seq if summary is not None and summary.status in FINAL else None

    def _read(self, after: int) -> list[Frame]:
        found = islice(self._backend.scan(self._run_id, after), _CHUNK)
        return [
            Frame(seq, frame(encode_record(seq, event), event=kind_of(event), id=seq)) for seq, event in found
        ]


class Overview:
    """How many runs have each status, asked once for all who look."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._asked: asyncio.Task[bytes] | None = None

    async def frame(self, news: News) -> bytes:
        """Return the counts of now, and the runs that have changed; `more` if there may be others."""
        some = sorted(news.runs)[:_MOST_RUNS]
        told = msgspec.json.encode({"runs": some, "more": news.more or len(some) < len(news.runs)})
        return frame(b'{"counts":%s,%s' % (await self._counts(), told[1:]), event="runs")

    async def _counts(self) -> bytes:
        if self._asked is None or self._asked.done():
            self._asked = asyncio.create_task(asyncio.to_thread(self._read))
        return await asyncio.shield(self._asked)

    def _read(self) -> bytes:
        return msgspec.json.encode(self._backend.counts())
