"""What can be seen of a run from outside: values and errors as comparable text, and what it writes."""

import contextlib
import io
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from flopod.codec import encode

OWN_LOGGERS = ("flopod", "asyncio")


@dataclass
class Output:
    """What a run wrote: two streams and the records of `logging`."""

    stdout: str = ""
    stderr: str = ""
    records: list[str] = field(default_factory=list)

    def __add__(self, other: "Output") -> "Output":
        return Output(self.stdout + other.stdout, self.stderr + other.stderr, self.records + other.records)


def value_text(value: Any) -> str:
    """The encoding of a value: equal texts mean equal values, types included."""
    return encode(value).decode("utf-8", "surrogatepass")


def error_text(error: BaseException) -> str:
    """Type, arguments and attributes of an exception, of its members, and the type of its cause."""
    kind = f"{type(error).__module__}:{type(error).__qualname__}"
    state = {key: value for key, value in vars(error).items() if key != "__notes__"}
    parts = [
        kind,
        value_text(list(error.args) if not isinstance(error, BaseExceptionGroup) else error.message),
    ]
    if state:
        parts.append(value_text(state))
    if isinstance(error, BaseExceptionGroup):
        parts += [error_text(member) for member in error.exceptions]
    if error.__cause__ is not None:
        parts.append("from " + type(error.__cause__).__qualname__)
    return " ".join(parts)


class _Records(logging.Handler):
    def __init__(self, records: list[str]) -> None:
        super().__init__(logging.DEBUG)
        self.records = records

    def emit(self, record: logging.LogRecord) -> None:
        if not record.name.startswith(OWN_LOGGERS):
            self.records.append(f"{record.levelname}:{record.name}:{record.getMessage()}")


@contextmanager
def captured() -> Iterator[Output]:
    """Collect what is written to the standard streams and to `logging` meanwhile."""
    output = Output()
    stdout, stderr = io.StringIO(), io.StringIO()
    root = logging.getLogger()
    handler, level = _Records(output.records), root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    hook, sys.unraisablehook = sys.unraisablehook, lambda _: None
    try:
        with contextlib.redirect_stdout(stdout), contextlib.redirect_stderr(stderr):
            yield output
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
        sys.unraisablehook = hook
        output.stdout, output.stderr = stdout.getvalue(), stderr.getvalue()
