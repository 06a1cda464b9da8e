"""What is to be sent when, a lane for each receiver: a slow one holds up nobody but itself."""

import heapq
from collections import Counter

_AT_ONCE = 8


class Lanes:
    """Items by the time they are due (ms since the epoch); of a lane no more than a few are out at once."""

    def __init__(self, at_once: int = _AT_ONCE) -> None:
        self._at_once = at_once
        self._lanes: dict[str, list[tuple[int, str]]] = {}
        self._out: Counter[str] = Counter()

    def __len__(self) -> int:
        return sum(map(len, self._lanes.values()))

    def clear(self) -> None:
        """Forget all that is not out."""
        self._lanes.clear()

    def put(self, lane: str, due: int, item: str) -> None:
        """Let an item be taken from `due` on."""
        heapq.heappush(self._lanes.setdefault(lane, []), (due, item))

    def take(self, now: int) -> tuple[str, str] | None:
        """Return the lane and the item that has been due for longest; it is out then."""
        due = [(items[0], lane) for lane, items in self._free() if items[0][0] <= now]
        if not due:
            return None
        (_, item), lane = min(due)
        heapq.heappop(self._lanes[lane])
        if not self._lanes[lane]:
            del self._lanes[lane]
        self._out[lane] += 1
        return lane, item

    def back(self, lane: str) -> None:
        """Count an item of a lane as out no more."""
        self._out[lane] -= 1
        if not self._out[lane]:
            del self._out[lane]

    def next_due(self) -> int | None:
        """Return when an item can be taken, as far as that is known now."""
        return min((items[0][0] for _, items in self._free()), default=None)

    def _free(self) -> list[tuple[str, list[tuple[int, str]]]]:
        return [each for each in self._lanes.items() if self._out[each[0]] < self._at_once]
