"""The mark of a name that is not bound to any value."""

from typing import Final


class Unbound:
    """The type of UNBOUND; there is one instance."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "UNBOUND"

    def __reduce__(self) -> str:
        return "UNBOUND"


UNBOUND: Final = Unbound()
