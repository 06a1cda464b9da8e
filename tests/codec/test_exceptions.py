"""Exceptions come back as they were, without running their constructors."""

import asyncio
import traceback
from pathlib import Path
from typing import Any

import pytest

from flopod.codec import decode, encode, normalise

from . import shop


def caught(action: Any) -> BaseException:
    """Return what an action raises."""
    try:
        action()
    except BaseException as error:
        return error
    raise AssertionError("nothing was raised")


class Coded(OSError):
    """A project error over a builtin with fields of its own."""

    __slots__ = ("code",)
    code: int


def coded() -> Coded:
    error = Coded(5, "Input/output error", "disk")
    error.code = 7
    return error


ERRORS = [
    ValueError(),
    ValueError("a", 1, [2]),
    KeyError("k"),
    StopIteration(5),
    StopAsyncIteration(),
    SystemExit(3),
    KeyboardInterrupt(),
    asyncio.CancelledError("x"),
    TimeoutError("late"),
    OSError(2, "No such file", "name", None, "other"),
    OSError("plain"),
    caught(lambda: Path("/no/such/file").read_text()),
    BlockingIOError(11, "again", 3),
    caught(lambda: b"\xff".decode()),
    caught(lambda: "\xff".encode("ascii")),
    UnicodeTranslateError("x", 0, 1, "why"),
    caught(lambda: compile("a b", "file.py", "exec")),
    caught(lambda: __import__("no_such_module")),
    caught(lambda: undefined_name),  # type: ignore[name-defined]  # noqa: F821
    caught(lambda: [].nothing),  # type: ignore[attr-defined]
    caught(lambda: int("x")),
    caught(lambda: shop.Ticket(-1)),
    shop.Expired("A-1", hours=3),
    coded(),
    ExceptionGroup("two", [ValueError(1), ExceptionGroup("in", [KeyError("k")])]),
    BaseExceptionGroup("base", [KeyboardInterrupt()]),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_an_exception_comes_back(error: BaseException) -> None:
    """Type, arguments, attributes and both texts are the same, and it is written alike again."""
    text = encode(error)
    back = decode(text)
    assert type(back) is type(error)
    assert repr(back) == repr(error)
    assert str(back) == str(error)
    assert vars(back) == vars(error)
    if not isinstance(error, BaseExceptionGroup):
        assert back.args == error.args
    assert encode(back) == text


def test_the_fields_of_builtins_are_kept() -> None:
    """errno, filename, name, value, code, start and the rest of the builtin fields are there."""
    missing = decode(encode(caught(lambda: __import__("no_such_module"))))
    assert missing.name == "no_such_module"
    failed = decode(encode(coded()))
    assert (failed.errno, failed.filename, failed.code) == (5, "disk", 7)
    assert decode(encode(StopIteration(5))).value == 5
    assert decode(encode(SystemExit(3))).code == 3
    broken = decode(encode(caught(lambda: b"a\xff".decode())))
    assert (broken.start, broken.object) == (1, b"a\xff")


def test_notes_cause_and_context_are_kept() -> None:
    """The chain of an exception and its notes come back, cycles included."""
    cause, context = KeyError("k"), ValueError("v")
    error = RuntimeError("r")
    error.__cause__, error.__context__ = cause, context
    error.add_note("look here")
    context.__context__ = error
    back = decode(encode(error))
    assert repr(back.__cause__) == "KeyError('k')"
    assert back.__context__.__context__ is back
    assert back.__suppress_context__
    assert back.__notes__ == ["look here"]


def test_what_an_exception_holds_and_the_log_cannot_is_replaced_with_a_note() -> None:
    """A live object among the arguments becomes its text; a note says so; the messages stay the same."""
    error = ValueError("bad", iter([]))
    error.client = shop.client  # type: ignore[attr-defined]
    back = normalise(error)
    assert repr(back) == repr(error)
    assert len(back.__notes__) == 2
    assert back.__notes__[0].startswith("flopod: args[1] (list_iterator) could not be written")
    assert encode(normalise(back)) == encode(back)


def test_an_exception_that_holds_itself_and_a_live_object_is_written() -> None:
    """A trial that fails leaves no trace: the rest is written as if it had not been tried."""
    inner = [1]
    error = ValueError([inner, iter([])], inner)
    error.me = error  # type: ignore[attr-defined]
    back = decode(encode(error))
    assert back.me is back
    assert back.args[1] == [1]


def test_a_live_object_deep_in_an_exception_is_replaced_too() -> None:
    """So is an argument that holds a live object far below, or the exception itself far below."""
    deep: Any = iter([])
    error = ValueError()
    for _ in range(200):
        deep = [deep, error]
    error.args = (deep,)
    back = normalise(error)
    assert "could not be written" in back.__notes__[0]


def test_an_exception_of_a_local_class_becomes_its_nearest_base() -> None:
    """A class that cannot be found by name is replaced by the base that can, with a note."""

    class Local(shop.Expired):
        pass

    back = normalise(Local("A-1", hours=1))
    assert type(back) is shop.Expired
    assert "Local" in back.__notes__[0]


def test_normalise_keeps_the_live_tracebacks() -> None:
    """The rebuilt exception and its cause show the lines where they were raised."""

    def fail() -> None:
        try:
            raise KeyError("inner")
        except KeyError as inner:
            raise ValueError("outer") from inner

    shown = "".join(traceback.format_exception(normalise(caught(fail))))
    assert shown.count('raise KeyError("inner")') == 1
    assert shown.count('raise ValueError("outer")') == 1


def test_rebuilding_runs_no_constructor() -> None:
    """`__init__` with other parameters is not called."""
    back = decode(encode(shop.Expired("A-1", hours=3)))
    assert (back.order_id, back.hours, back.args) == ("A-1", 3, ("A-1 has expired",))
