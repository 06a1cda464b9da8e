"""Interrupts: Ctrl-C and SIGTERM end the process at once and leave a run that can be resumed.

No exception is thrown anywhere and no `finally` runs: the log is consistent at every instant. Only a
commit that is being written is waited for, and by SIGTERM, for some seconds, what is detached.
"""

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_FLUSH = 10.0
_LOOK = 0.02


def exit_when_interrupted() -> None:
    """Let an interrupt end this process at once, with its status, as long as there is no job yet."""
    for number in _SIGNALS:
        signal.signal(number, _exit_early)
    listen()


def hold_back() -> None:
    """Keep interrupts for the program that this process is about to become."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)


def listen() -> None:
    """Let interrupts through, those also that were held back when the process was started again."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)


def _exit_early(number: int, _frame: FrameType | None) -> None:
    try:
        os.write(2, b"interrupted; start it again and it goes on\n")
    finally:
        os._exit(128 + number)


class Interrupts:
    """The signal handlers of a job. `leave` is called in the handler with the signal's name.

    While something detached `is_pending`, the first SIGTERM only takes effect once it is not, or after some
    seconds; a second one does at once.
    """

    def __init__(self, leave: Callable[[str], None], is_pending: Callable[[], bool] = lambda: False) -> None:
        self._leave = leave
        self._is_pending = is_pending
        self._is_put_off = False
        self._pid = os.getpid()
        self._writing = False
        self._pending = 0

    def install(self) -> None:
        for number in _SIGNALS:
            signal.signal(number, self._on_signal)
        listen()
        os.register_at_fork(after_in_child=self._reset)

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """Put an interrupt off until the block has ended."""
        self._writing = True
        try:
            yield
        finally:
            self._writing = False
            if self._pending:
                self._exit(self._pending)

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        if number == signal.SIGTERM and not self._is_put_off and self._is_pending():
            self._is_put_off = True
            threading.Thread(target=self._come_back, args=(number,), daemon=True).start()
        elif self._writing:
            self._pending = number
        else:
            self._exit(number)

    def _come_back(self, number: int) -> None:
        """Send the signal again once nothing detached is pending: only the main thread may leave."""
        end = time.monotonic() + _FLUSH
        while self._is_pending() and time.monotonic() < end:
            time.sleep(_LOOK)
        os.kill(self._pid, number)

    def _exit(self, number: int) -> None:
        try:
            self._leave(signal.Signals(number).name)
        finally:
            os._exit(128 + number)

    def _reset(self) -> None:
        """A process that a leaf forks is not the job: a signal must end it as it ends any other."""
        if os.getpid() != self._pid:
            for number in _SIGNALS:
                signal.signal(number, signal.SIG_DFL)
