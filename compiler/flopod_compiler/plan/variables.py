"""Names for the scopes that emitted code hands around."""

from __future__ import annotations

from collections.abc import Container


class Variables:
    """Names for scopes that no identifier of the author's function has."""

    def __init__(self, taken: set[str]) -> None:
        self._taken = set(taken)
        self.scope = self._free("wf")
        self.item = self._free("item")
        self._active: list[str] = []

    def _free(self, wanted: str) -> str:
        return self._numbered(wanted, self._taken)

    @staticmethod
    def _numbered(wanted: str, taken: Container[str]) -> str:
        name, number = wanted, 2
        while name in taken:
            name, number = f"{wanted}{number}", number + 1
        return name

    def enter(self, hint: str) -> str:
        """A scope variable for a loop over `hint`, distinct from those of the loops around it."""
        name = self._numbered(f"{self.scope}_{hint}", {*self._taken, *self._active})
        self._active.append(name)
        return name

    def leave(self) -> None:
        self._active.pop()

    def counter(self, hint: str) -> str:
        """A variable for a `while` loop's counter; each has its own."""
        name = self._free(hint)
        self._taken.add(name)
        return name
