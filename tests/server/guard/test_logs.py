"""Lines of the log: for programs, for people, and for nobody who looks for secrets."""

import io
import json
import logging
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from flopod.server.logs import configure, shown_path
from flopod.server.settings import LogFormat


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """Leave the loggers as they were."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def logged(form: LogFormat, text: str, *args: Any, hidden: tuple[str, ...] = (), **options: Any) -> str:
    stream = io.StringIO()
    configure(form, stream=stream, hidden=hidden)
    logging.getLogger("flopod.test").warning(text, *args, **options)
    return stream.getvalue()


def failed(message: str) -> Any:
    try:
        raise ValueError(message)
    except ValueError:
        return sys.exc_info()


def test_json_is_one_object_a_line() -> None:
    """With the fields that are known, and an exception in one of them."""
    extra = {"run_id": "a", "status": 500, "ms": 1.5, "request_id": None, "unknown": 1}
    line = logged("json", "it %s\nfailed", "has", extra=extra, exc_info=failed("line 1\nline 2"))
    assert line.count("\n") == 1
    record = json.loads(line)
    assert record["time"].endswith("Z")
    assert (record["level"], record["logger"], record["message"]) == (
        "warning",
        "flopod.test",
        "it has\nfailed",
    )
    assert (record["run_id"], record["status"], record["ms"]) == ("a", 500, 1.5)
    assert not {"request_id", "unknown"} & set(record)
    assert record["exception"].endswith("ValueError: line 1\nline 2")


def test_text_cannot_pretend_to_be_another_line() -> None:
    """Nor move the cursor of a terminal."""
    line = logged("text", "path /x\n2026-01-01T00:00:00Z ERROR \x1b[2J\u2028", extra={"run_id": "a\r\nb"})
    assert line.count("\n") == 1
    assert "\x1b" not in line
    assert "\u2028" not in line
    assert line.rstrip().endswith("run_id=a\\r\\nb")


def test_an_exception_cannot_pretend_to_be_another_line() -> None:
    """Its text may be what a client has sent."""
    error = failed("no\n2026-01-01T00:00:00.000Z INFO    flopod.access: all is well\r\x1b[2J")
    first, *trace = logged("text", "it failed", exc_info=error).splitlines()
    assert first.endswith("it failed") and "ValueError: no" in "".join(trace)
    assert all(line.startswith("    ") for line in trace)
    assert "\x1b" not in "".join(trace)


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer s3cret-s3cret",
        "header b'bearer s3cret-s3cret'",
        "Cookie: theme=dark; flopod_session=s3cret-s3cret; x=y",
        "the token is the-token-itself",
    ],
)
def test_secrets_do_not_appear(form: LogFormat, text: str) -> None:
    """In a message, in its arguments, in the text of an exception."""
    hidden = ("the-token-itself",)
    for line in (
        logged(form, text, hidden=hidden),
        logged(form, "%s", text, hidden=hidden),
        logged(form, "x", exc_info=failed(text), hidden=hidden),
    ):
        assert "s3cret" not in line
        assert "the-token-itself" not in line
        assert "***" in line


def test_what_cannot_be_written_is_written_otherwise() -> None:
    """A lone surrogate, an object of no kind."""
    assert json.loads(logged("json", "a\udc80"))["message"] == "a\\udc80"
    assert json.loads(logged("json", "x", extra={"status": object}))["status"] == "<class 'object'>"


def test_links_are_tokens() -> None:
    """A path that holds one is shown without."""
    assert shown_path("/deliver/abc.def") == "/deliver/***"
    assert shown_path("/runs/abc") == "/runs/abc"
