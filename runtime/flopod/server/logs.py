"""The log of a server: one record a line, as text or as JSON, without what nobody may read."""

import asyncio
import logging
import re
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import IO, Any

import msgspec

from flopod.server.settings import LogFormat

FIELDS = ("run_id", "request_id", "method", "path", "status", "ms", "client", "webhook")
"""What a record may say beside its message, given as `extra`."""

_IN_THE_TEXT = frozenset({"method", "path", "status"})
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_BEARER = re.compile(r"(?i)(authorization:\s*(?:[a-z]+\s+)?|bearer\s+|flopod_session=)[^\s\"',;]+")
_SECRET_PATHS = ("/deliver/",)
_NOISE = ("uvicorn", "uvicorn.error", "uvicorn.access")


def configure(
    form: LogFormat,
    *,
    level: int = logging.INFO,
    hidden: Sequence[str] = (),
    stream: IO[str] | None = None,
) -> logging.Handler:
    """Let every logger write to `stream` (standard error) in a form; return the handler.

    The texts in `hidden` never appear, whatever a record says.
    """
    handler = logging.StreamHandler(sys.stderr if stream is None else stream)
    handler.setFormatter(JsonLines(hidden) if form == "json" else TextLines(hidden))
    handler.addFilter(_is_worth_it)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _NOISE:
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
        logger.setLevel(max(level, logging.WARNING))
    return handler


def _is_worth_it(record: logging.LogRecord) -> bool:
    """Whether a record says something: that a stream was cut off at the end does not."""
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, asyncio.CancelledError)


def shown_path(path: str) -> str:
    """Return a path as a log may have it: links that are signed stand for a token."""
    for prefix in _SECRET_PATHS:
        if path.startswith(prefix):
            return prefix + "***"
    return path


class _Lines(logging.Formatter):
    """What both forms share."""

    def __init__(self, hidden: Sequence[str]) -> None:
        super().__init__()
        self._hidden = [text for text in hidden if text]

    def _cleaned(self, text: str) -> str:
        for each in self._hidden:
            text = text.replace(each, "***")
        return _BEARER.sub(r"\1***", text)

    def _trace(self, record: logging.LogRecord) -> str:
        return self.formatException(record.exc_info) if record.exc_info and record.exc_info[1] else ""


class JsonLines(_Lines):
    """An object a line: time, level, logger, message, the fields that are known, exception."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record."""
        line: dict[str, Any] = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": self._cleaned(record.getMessage()),
        }
        line.update(_fields(record))
        if trace := self._trace(record):
            line["exception"] = self._cleaned(trace)
        return _json(line)


class TextLines(_Lines):
    """A line for people; an exception follows on lines of its own."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the lines of a record."""
        said = one_line(self._cleaned(record.getMessage()))
        fields = {name: value for name, value in _fields(record).items() if name not in _IN_THE_TEXT}
        more = "".join(f" {name}={one_line(str(value))}" for name, value in fields.items())
        line = f"{_time(record)} {record.levelname:<7} {record.name}: {said}{more}"
        trace = self._cleaned(self._trace(record)).split("\n")
        # What a traceback says of a value may be anything: indented, no line of it looks like a record.
        return "\n    ".join([line, *map(one_line, filter(None, trace))])


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    found = {name: getattr(record, name, None) for name in FIELDS}
    return {name: value for name, value in found.items() if value is not None}


def _time(record: logging.LogRecord) -> str:
    at = datetime.fromtimestamp(record.created, UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def one_line(text: str) -> str:
    """Return a text that cannot look like another record."""
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def _json(line: dict[str, Any]) -> str:
    try:
        return msgspec.json.encode(line, enc_hook=str).decode()
    except (UnicodeEncodeError, msgspec.MsgspecError):
        clean = {
            name: str(value).encode("utf-8", "backslashreplace").decode() for name, value in line.items()
        }
        return msgspec.json.encode(clean).decode()
