"""Runs that only wait and are in no memory but this: an id and a time each."""

import heapq

_FOREVER = 1 << 62


class Asleep:
    """Which runs were put away, and when the next one wants to be woken (ms since the epoch)."""

    def __init__(self) -> None:
        self._until: dict[str, int] = {}
        self._order: list[tuple[int, str]] = []

    def __contains__(self, run_id: object) -> bool:
        return run_id in self._until

    def __len__(self) -> int:
        return len(self._until)

    def put(self, run_id: str, due: int | None) -> None:
        """Put a run away until a time, None: until something comes for it."""
        self._until[run_id] = _FOREVER if due is None else due
        if due is not None:
            heapq.heappush(self._order, (due, run_id))

    def wake(self, run_id: str) -> None:
        """Forget a run: it goes on."""
        del self._until[run_id]

    def due(self, now: int) -> list[str]:
        """Return the runs whose time has come."""
        found: dict[str, None] = {}
        while self._order and self._order[0][0] <= now:
            due, run_id = heapq.heappop(self._order)
            if self._until.get(run_id) == due:
                found[run_id] = None
        return list(found)

    @property
    def next_due(self) -> int | None:
        """When `due` gives something, at the earliest."""
        return self._order[0][0] if self._order else None
