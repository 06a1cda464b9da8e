"""The value by which a body of `repeat` says that it is done."""

from typing import Final


class Stop:
    """The type of `STOP`; there is one instance."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "STOP"

    def __reduce__(self) -> str:
        return "STOP"


STOP: Final = Stop()
