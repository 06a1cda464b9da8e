"""Where a job meets its process: the event loop, the two output streams, the end."""

import atexit
import contextlib
import os
import sys
import threading
from collections.abc import Callable, Coroutine, Iterator
from typing import IO, Any, NoReturn, TypeVar

_Result = TypeVar("_Result")


def run_apart(driving: Coroutine[Any, Any, _Result], ended: Callable[[_Result], bool]) -> _Result:
    """Run a coroutine on a loop of its own; tasks that are left are cancelled only if it has `ended`.

    `asyncio.run` would cancel them in any case, and so run the `finally` blocks of a run that is only
    suspended.
    """
    import asyncio  # which a process that only says how it is used does not need

    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    result = loop.run_until_complete(driving)
    if ended(result):
        rest = asyncio.all_tasks(loop)
        for task in rest:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*rest, return_exceptions=True))
        loop.run_until_complete(loop.shutdown_asyncgens())
    return result


def end(code: int, *, orderly: bool = True) -> NoReturn:
    """End the process with `code`. Coroutines of the run that are still open never run again.

    An orderly end runs what the program registered for its exit, as Python does. A debugger or a
    measurement of coverage gets the process back, since it saves what it saw on the way out.
    """
    if orderly and _is_watched():
        raise SystemExit(code)
    if orderly:
        with contextlib.suppress(BaseException):
            threading._shutdown()  # type: ignore[attr-defined]
        with contextlib.suppress(BaseException):
            atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            stream.flush()
    os._exit(code)


def open_standard_streams() -> None:
    """Open what the process was started without, lest a file of the store be taken for it.

    Standard output is opened for reading, so that a result cannot be written and nobody believes it was.
    """
    for fd, mode in enumerate((os.O_RDONLY, os.O_RDONLY, os.O_WRONLY)):
        try:
            os.fstat(fd)
        except OSError:
            os.open(os.devnull, mode)  # the lowest number that is free, which is this one


def _is_watched() -> bool:
    """Whether a tool follows what this process runs."""
    if sys.gettrace() is not None or sys.getprofile() is not None:
        return True
    monitoring = getattr(sys, "monitoring", None)
    return monitoring is not None and any(map(monitoring.get_tool, range(6)))


@contextlib.contextmanager
def result_apart() -> Iterator[IO[str]]:
    """Standard output for the result alone: what else is written to it goes to standard error."""
    try:
        out = os.fdopen(os.dup(1), "w", encoding="utf-8", errors="backslashreplace")
        os.dup2(2, 1)
    except OSError:
        yield sys.stdout
        return
    if sys.stdout is not None:
        sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    yield out
    with contextlib.suppress(OSError):
        out.close()
