"""What a log says of the attempts of activities, and of the crashes while they were under way."""

from msgspec import Raw

from flopod.events import ActivityFailed, ActivityProgress, ActivityStarted


class Attempts:
    """Read event by event, in the order of the log. Crashes are forgiven when a run is resumed on purpose."""

    def __init__(self) -> None:
        self._begun: dict[str, int] = {}
        self._failed: dict[str, tuple[int, ActivityFailed]] = {}
        self._last: dict[str, ActivityProgress] = {}
        self._progress: dict[str, Raw] = {}
        self._crashes: list[int] = []
        self._forgiven = 0

    def begun(self, seq: int, event: ActivityStarted) -> None:
        """An activity begins."""
        self._begun[event.path] = seq

    def failed(self, seq: int, event: ActivityFailed) -> None:
        """An attempt has failed, and is not the last."""
        self._failed[event.path] = seq, event

    def progressed(self, event: ActivityProgress) -> None:
        """An attempt begins, or tells of its progress."""
        self._last[event.path] = event
        if event.progress is not None:
            self._progress[event.path] = event.progress

    def crashed(self, seq: int) -> None:
        """The process before the record `seq` was killed."""
        self._crashes.append(seq)

    def forgive(self, seq: int) -> None:
        """Do not count the crashes up to the record `seq`."""
        self._forgiven = seq

    def last_failed(self, path: str) -> ActivityFailed | None:
        """Return the last failed attempt of an activity that is not over."""
        found = self._failed.get(path)
        return None if found is None else found[1]

    def progress_of(self, path: str) -> Raw | None:
        """Return what an activity told last of its progress."""
        return self._progress.get(path)

    def was_in_flight(self, path: str) -> bool:
        """Whether an attempt of the activity at `path`, which is not over, may have begun.

        Of one that is tried again that is only known if its attempts are recorded as they begin.
        """
        failed, last = self.last_failed(path), self._last.get(path)
        if failed is None:
            return path in self._begun
        return last is not None and last.attempt > failed.attempt

    def crashes(self, path: str, crashed_now: bool) -> int:
        """Return at how many crashes in a row, one now included, the activity at `path` was in flight."""
        if path not in self._begun:
            return int(crashed_now)
        failed_at = self._failed[path][0] if path in self._failed else 0
        since = max(self._begun[path], failed_at, self._forgiven)
        return sum(seq > since for seq in self._crashes) + crashed_now

    def are_poisoned(self, path: str, limit: int, crashed_now: bool) -> bool:
        """Whether the activity at `path` was in flight at `limit` crashes in a row."""
        return path in self._begun and self.crashes(path, crashed_now) >= limit
