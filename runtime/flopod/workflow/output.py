"""What a body prints and logs: recorded as events, shown after the commit, once over all resumes."""

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

from msgspec import Raw

from flopod import codec
from flopod.errors import SerializableError
from flopod.events import Log
from flopod.log.lineage import pattern_of
from flopod.log.tail import WARNER
from flopod.workflow.commands import CallLogger, Warn, Write

if TYPE_CHECKING:
    from flopod.workflow.core import Core


class Output:
    """The voice of one run."""

    def __init__(self, core: "Core") -> None:
        self._core = core

    def print(
        self, scope: str, args: tuple[Any, ...], sep: str | None, end: str | None, file: Any, flush: bool
    ) -> None:
        """Do what the builtin `print` does. Text for a file of the author's own goes there at once."""
        text = (" " if sep is None else sep).join(map(str, args)) + ("\n" if end is None else end)
        stream = _standard_stream(file)
        if stream is None:
            file.write(text)
        elif self._core.emit_visible(Log(path=scope, at=self._core.now, message=text, stream=stream)):
            self._core.command(Write(stream, text, flush))

    def log(self, scope: str, message: str, fields: dict[str, Any]) -> None:
        """Record a message with fields and show it on standard error."""
        raw = Raw(codec.encode(fields)) if fields else None
        event = Log(
            path=scope, at=self._core.now, message=message, stream="logging", level="INFO", fields=raw
        )
        if self._core.emit_visible(event):
            shown = " ".join([message, *(f"{name}={value}" for name, value in fields.items())])
            self._core.command(Write("stderr", shown + "\n"))

    def call_logger(
        self, scope: str, method: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        """Call a method of a logger, such as `logger.info`, after the commit."""
        level, head, args = _level(method, args)
        if not _is_enabled(method, level):
            return
        message = _message(args)
        event = Log(
            path=scope,
            at=self._core.now,
            message=message,
            stream="logging",
            level=level,
            logger=getattr(getattr(method, "__self__", None), "name", "root"),
            fields=_fields(kwargs.get("extra")),
        )
        if self._core.emit_visible(event):
            self._core.command(CallLogger(method, (*head, "%s", message), _with_error(method, kwargs)))

    def warn(self, path: str, message: str) -> None:
        """Record a warning of the runtime about `path`, once a run for all iterations it stands in."""
        pattern = pattern_of(path)
        if self._core.live and pattern not in self._core.history.warned:
            self._core.history.warned.add(pattern)
            self._warn(path, message, None)

    def warn_dropped(self, path: str, message: str, seq: int) -> None:
        """Record that the received event `seq` is of no use, so that no resume takes it up again."""
        self._warn(path, message, Raw(b'{"dropped":%d}' % seq))

    def _warn(self, path: str, message: str, fields: Raw | None) -> None:
        now = self._core.now
        self._core.emit(
            Log(
                path=path,
                at=now,
                message=message,
                stream="logging",
                level="WARNING",
                logger=WARNER,
                fields=fields,
            )
        )
        self._core.command(Warn(path, message))


def _standard_stream(file: Any) -> Literal["stdout", "stderr"] | None:
    if file is None or file is sys.stdout or file is sys.__stdout__:
        return "stdout"
    return "stderr" if file is sys.stderr or file is sys.__stderr__ else None


def _level(method: Callable[..., Any], args: tuple[Any, ...]) -> tuple[str, tuple[Any, ...], tuple[Any, ...]]:
    name = getattr(method, "__name__", "info")
    if name == "log" and args:
        return _level_name(args[0]), args[:1], args[1:]
    return {"exception": "ERROR", "warn": "WARNING", "fatal": "CRITICAL"}.get(name, name.upper()), (), args


def _level_name(level: Any) -> str:
    import logging

    return logging.getLevelName(level) if isinstance(level, int) else str(level)


def _is_enabled(method: Callable[..., Any], level: str) -> bool:
    import logging

    number = logging.getLevelName(level)
    check = getattr(getattr(method, "__self__", logging.getLogger()), "isEnabledFor", None)
    return check is None or not isinstance(number, int) or bool(check(number))


def _message(args: tuple[Any, ...]) -> str:
    if not args:
        return ""
    text, values = str(args[0]), args[1:]
    try:
        if len(values) == 1 and isinstance(values[0], dict) and values[0]:
            return text % values[0]
        return text % values if values else text
    except (TypeError, ValueError, KeyError):
        return " ".join([text, *map(repr, values)])


def _with_error(method: Callable[..., Any], kwargs: dict[str, Any]) -> dict[str, Any]:
    info = kwargs.get("exc_info", getattr(method, "__name__", "") == "exception")
    if not info or isinstance(info, BaseException | tuple):
        return kwargs
    return {**kwargs, "exc_info": sys.exc_info()}


def _fields(extra: Any) -> Raw | None:
    if not isinstance(extra, dict) or not extra:
        return None
    try:
        return Raw(codec.encode(extra))
    except SerializableError:
        return Raw(codec.encode({name: repr(value) for name, value in extra.items()}))
