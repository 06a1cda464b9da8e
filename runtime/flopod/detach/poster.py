"""The helper of the beacon driver: a process that posts what is in an outbox until nothing is left.

It needs the standard library alone, because its text is what a bundle starts it with. By hand:
`python -m flopod.detach.poster FOLDER`. One a folder works at a time: whoever has the lock.
"""

import contextlib
import fcntl
import hashlib
import http.client
import json
import os
import random
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from email.message import Message
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

LOCK = ".lock"
ITEM = ".item"
REFUSED = "refused"
DAMAGED = "damaged"
LINGER = 2.0
"""How long a helper waits for more before it ends, in seconds."""

_TURN = 0.05
_LONGEST_TURN = 0.5
_OLD_DRAFT = 3600
_KEPT = 4000
_AGAIN = {408, 425, 429}
_OF_THE_URL = {429, 503}
"""Answers that say nothing about the item, and so hold back the others for the same URL too."""


class Damaged(Exception):
    """A file of the outbox is not what was written there."""


class Item(NamedTuple):
    """A payload and where it goes. `tried` is part of its file's name, so that it outlives a helper."""

    name: str
    tried: int
    head: dict[str, Any]
    body: bytes

    @property
    def url(self) -> str:
        return str(self.head["url"])


class Answer(NamedTuple):
    """What came of a post. `status` is 0 where nobody answered; `wait` is what a Retry-After asks for."""

    status: int
    reason: str
    body: str = ""
    wait: float = 0.0

    @property
    def is_delivered(self) -> bool:
        return 200 <= self.status < 300

    @property
    def may_change(self) -> bool:
        return self.status in (0, *_AGAIN) or self.status >= 500

    @property
    def holds_for_url(self) -> bool:
        return self.status == 0 or self.status in _OF_THE_URL


def dump(head: Mapping[str, Any], body: bytes) -> bytes:
    """Return a file of the outbox: a line with the digest of the rest, a line of JSON, the body."""
    rest = json.dumps(head).encode() + b"\n" + body
    return _digest(rest) + b"\n" + rest


def load(name: str, data: bytes) -> Item:
    """Return what `dump` wrote. Raises Damaged."""
    digest, _, rest = data.partition(b"\n")
    if digest != _digest(rest):
        raise Damaged(name)
    first, _, body = rest.partition(b"\n")
    try:
        return Item(name, int(name.split(".")[-2]), json.loads(first), body)
    except ValueError as error:
        raise Damaged(name) from error


def _digest(data: bytes) -> bytes:
    return hashlib.sha256(data).hexdigest().encode()


def names(folder: Path) -> list[str]:
    """Return the names of what an outbox holds, the oldest first; none if there is no folder."""
    try:
        return sorted(name for name in os.listdir(folder) if _is_item(name))  # noqa: PTH208 - names alone
    except (FileNotFoundError, NotADirectoryError):
        return []


def _is_item(name: str) -> bool:
    return name.endswith(ITEM) and not name.startswith(".")


def lock(folder: Path) -> int | None:
    """Return a descriptor that has the lock of an outbox, None if another process has it. Raises OSError."""
    fd = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        return None
    except BaseException:
        os.close(fd)
        raise
    return fd


def unlock(fd: int) -> None:
    """Let go of the lock, for copies of the descriptor in other processes too."""
    with contextlib.suppress(OSError):
        fcntl.flock(fd, fcntl.LOCK_UN)
    os.close(fd)


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect is an answer: to follow it would turn the post into a GET without the payload."""

    def redirect_request(self, req: Any, fp: Any, code: Any, msg: Any, headers: Any, newurl: Any) -> None:
        """Follow nothing."""


_opener = urllib.request.build_opener(_NoRedirects)


def post(item: Item) -> Answer:
    """Post an item once."""
    head = item.head
    try:
        request = urllib.request.Request(item.url, item.body, head["headers"], method="POST")
        with _opener.open(request, timeout=head["timeout"]) as answer:
            return Answer(answer.status, answer.reason)
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, _reason(error), _text(error), _retry_after(error.headers))
    except (OSError, http.client.HTTPException) as error:
        return Answer(0, f"{type(error).__name__}: {error}")


def _reason(error: urllib.error.HTTPError) -> str:
    target = error.headers.get("Location") if 300 <= error.code < 400 else None
    return f"{error.reason}: redirects to {target}; post there" if target else str(error.reason)


def _text(error: urllib.error.HTTPError) -> str:
    try:
        return error.read(_KEPT).decode("utf-8", "replace")
    except (OSError, http.client.HTTPException):
        return ""


def _retry_after(headers: "Message[str, str]") -> float:
    given = headers.get("Retry-After", "").strip()
    if given.isascii() and given.isdigit():
        return float(given)
    try:
        return max(0.0, parsedate_to_datetime(given).timestamp() - time.time())
    except (TypeError, ValueError, OverflowError):
        return 0.0


def pause_before_next(item: Item, answer: Answer, now: float) -> float | None:
    """Return the seconds until an item is tried again, None if its policy has it given up."""
    retry = item.head["retry"]
    tried = item.tried + 1
    if retry["max_attempts"] is not None and tried >= retry["max_attempts"]:
        return None
    first = float(retry["delay"])
    grown = {"exponential": first * 2.0 ** min(tried - 1, 64), "linear": first * tried}
    pause: float = min(grown.get(retry["backoff"], first), retry["max_delay"])
    if retry["jitter"]:
        pause *= random.uniform(0.5, 1.0)
    pause = max(pause, answer.wait)
    deadline = retry["deadline"]
    if deadline is not None and now + pause > item.head["created"] + deadline:
        return None
    return pause


class Poster:
    """Posts what is in one outbox. Whatever happens to it, an item is in a file until it was taken."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._due: dict[str, float] = {}
        self._ignored: set[str] = set()

    def run(self, linger: float) -> None:
        """Post until the outbox has been empty for a while."""
        self._remove_drafts()
        end = time.monotonic() + linger
        turn = _TURN
        while True:
            worked, left = self._round()
            if worked or left:
                end = time.monotonic() + linger
            elif time.monotonic() >= end:
                return
            turn = _TURN if worked or not left else min(turn * 1.5, _LONGEST_TURN)
            time.sleep(turn)

    def has_work(self) -> bool:
        """Whether there is something that this helper can do."""
        return bool(self._names())

    def _names(self) -> list[str]:
        return [name for name in names(self._folder) if name not in self._ignored]

    def _round(self) -> tuple[bool, bool]:
        """Try what is due: whether there was something, and whether something is left."""
        worked = False
        for name in self._names():
            if self._due.get(name, 0.0) <= time.monotonic():
                worked = self._take(name) or worked
        return worked, self.has_work()

    def _take(self, name: str) -> bool:
        """Post one item, unless its URL is held back."""
        try:
            item = load(name, (self._folder / name).read_bytes())
            held_back = self._due.get(item.url, 0.0)
            if held_back > time.monotonic():
                self._due[name] = held_back
                return False
            self._settle(item, post(item))
        except FileNotFoundError:
            return False
        except Damaged:
            self._put_aside(name)
        except Exception as error:
            self._give_up_on(name, error)
        return True

    def _settle(self, item: Item, answer: Answer) -> None:
        pause = pause_before_next(item, answer, time.time()) if answer.may_change else None
        if answer.is_delivered:
            (self._folder / item.name).unlink(missing_ok=True)
            self._due.pop(item.name, None)
        elif pause is None:
            self._refuse(item, answer)
        else:
            self._postpone(item, answer, pause)

    def _postpone(self, item: Item, answer: Answer, pause: float) -> None:
        start = item.name.split(".")[0]
        later = f"{start}.{item.tried + 1}{ITEM}"
        self._due.pop(item.name, None)
        due = self._due[later] = time.monotonic() + pause
        if answer.holds_for_url:
            self._due[item.url] = due
        (self._folder / item.name).rename(self._folder / later)

    def _refuse(self, item: Item, answer: Answer) -> None:
        """Keep an item, with the answer, for a look."""
        told = {"url": item.url, "status": answer.status, "reason": answer.reason, "answer": answer.body}
        note = json.dumps({**told, "tried": item.tried + 1, "at": time.time()}, indent=2)
        place = self._folder / REFUSED
        place.mkdir(mode=0o700, exist_ok=True)
        (place / item.name).with_suffix(".json").write_text(note, encoding="utf-8")
        (self._folder / item.name).rename(place / item.name)

    def _put_aside(self, name: str) -> None:
        try:
            place = self._folder / DAMAGED
            place.mkdir(mode=0o700, exist_ok=True)
            (self._folder / name).rename(place / name)
        except OSError as error:
            self._give_up_on(name, error)

    def _give_up_on(self, name: str, error: Exception) -> None:
        """Leave an item to a later helper: this one can do nothing with it, and has others."""
        self._ignored.add(name)
        print(f"{name} is left where it is: {type(error).__name__}: {error}", file=sys.stderr, flush=True)

    def _remove_drafts(self) -> None:
        for file in self._folder.glob(f".*{ITEM}"):
            with contextlib.suppress(OSError):
                if time.time() - file.stat().st_mtime > _OLD_DRAFT:
                    file.unlink()


@contextlib.contextmanager
def _holding(fd: int) -> Iterator[None]:
    try:
        yield
    finally:
        unlock(fd)


def _sign(fd: int) -> None:
    """Write into the lock's file which process works."""
    with contextlib.suppress(OSError):
        os.ftruncate(fd, 0)
        os.pwrite(fd, f"{os.getpid()}\n".encode(), 0)


def work(folder: Path, fd: int, linger: float = LINGER) -> None:
    """Post until the outbox is empty, with the lock that `fd` has; ends without it.

    Who writes an item looks for the lock afterwards, and this looks for items after it has let go of the
    lock: one of the two sees the other.
    """
    poster = Poster(folder)
    held: int | None = fd
    while held is not None:
        with _holding(held):
            _sign(held)
            poster.run(linger)
        held = lock(folder) if poster.has_work() else None


def main(arguments: list[str]) -> NoReturn:
    """FOLDER [DESCRIPTOR OF THE LOCK]."""
    if not arguments:
        sys.exit("usage: python -m flopod.detach.poster FOLDER")
    folder = Path(arguments[0])
    fd = int(arguments[1]) if len(arguments) > 1 else lock(folder)
    if fd is None:
        sys.exit(f"another helper is at work in {folder}")
    work(folder, fd)
    sys.exit(0)


if __name__ == "__main__":
    main(sys.argv[1:])
