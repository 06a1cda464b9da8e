"""The delay of asyncio's own timeouts: a number that becomes a durable timer when the loop is handed it."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from flopod.workflow.operations import Sleep

if TYPE_CHECKING:
    from flopod.workflow.core import Core


class Timer(float):
    """Seconds with the path of a durable timer; added to the loop's time it is still that timer."""

    _core: "Core"
    _path: str
    _delay: float

    @classmethod
    def at(cls, core: "Core", path: str, delay: float, value: float | None = None) -> "Timer":
        """Return a timer of `delay` seconds, whose value as a number is `value`."""
        timer = cls(delay if value is None else value)
        timer._core, timer._path, timer._delay = core, path, delay
        return timer

    def __radd__(self, time: float) -> "Timer":
        return Timer.at(self._core, self._path, self._delay, time + float(self))

    def ring(self, callback: Callable[[], None]) -> Callable[[], object]:
        """Start the timer; returns what stops it."""
        core = self._core
        sleep = Sleep(core, self._path, self._delay)
        if core.external is None:
            sleep.begin()
        else:
            core.external(sleep)  # which begins it
        sleep.future.add_done_callback(lambda future: None if future.cancelled() else callback())
        return sleep.cancel
