"""When a schedule is due: by a cron expression, at intervals, or once."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import takewhile
from typing import Any, Literal

from msgspec import Raw, Struct

from flopod.durations import due, seconds
from flopod.engine.moments import moment, zone_of
from flopod.errors import BadInput
from flopod.events import Attribute
from flopod.runid import check_run_id

Overlap = Literal["skip", "queue", "allow", "cancel"]


class Schedule(Struct, kw_only=True, omit_defaults=True):
    """Starts runs of a workflow: exactly one of `cron`, `every` (a duration) and `at` (a time) says when.

    `cron` has five fields, or six with seconds first, and is read in the time zone `zone`: a time that the
    clocks leave out comes right after the gap, one that they show twice comes once. `overlap` says what
    happens if the run before is still open: `skip` the new one, `queue` it, `allow` both, or `cancel` the
    old one. What was due while nobody was there is made up for if it is not longer ago than `catch_up`.

    `since` and `until` (milliseconds since the epoch) are when it begins, which is when it is kept if that is
    0, and ends; `last` is the last time that was dealt with.
    """

    name: str
    workflow: str
    input: Raw = Raw(b"[]")
    cron: str = ""
    every: str = ""
    at: str = ""
    zone: str = "UTC"
    overlap: Overlap = "skip"
    catch_up: str = "1m"
    paused: bool = False
    queue: str = ""
    priority: int = 0
    attributes: dict[str, Attribute] = {}
    since: int = 0
    until: int | None = None
    last: int | None = None

    def check(self) -> "Schedule":
        """Return it if it can be kept. Raises BadInput, InvalidRunId for the name, BadDuration."""
        check_run_id(self.name)
        if len(self.name) > _LONGEST:
            raise BadInput(f"the name has {len(self.name)} characters, at most {_LONGEST} fit", field="name")
        given = [name for name in ("cron", "every", "at") if getattr(self, name)]
        if len(given) != 1:
            raise BadInput(
                "say when: give exactly one of cron, every and at", field=given[-1] if given else "cron"
            )
        if self.every and seconds(self.every) < 1:
            raise BadInput(f"every {self.every!r} is too often; use a second or more", field="every")
        if self.every and seconds(self.every) > _SELDOM:
            raise BadInput(f"every {self.every!r} is too seldom; use ten years or less", field="every")
        if self.overlap not in _OVERLAPS:
            raise BadInput(f"overlap is {self.overlap!r}; there is {', '.join(_OVERLAPS)}", field="overlap")
        seconds(self.catch_up)
        next(self.times(self.since), None)
        return self

    def times(self, after: int) -> Iterator[int]:
        """Yield the times at which it is due after `after`, in milliseconds since the epoch, ascending."""
        found = self._times(max(after, self.since))
        return found if self.until is None else takewhile(lambda at: at <= (self.until or 0), found)

    def _times(self, after: int) -> Iterator[int]:
        if self.at:
            at = due(self.at, 0)
            return iter([at] if at > after else [])
        return self._intervals(after) if self.every else self._cron(after)

    def _intervals(self, after: int) -> Iterator[int]:
        step = round(seconds(self.every) * 1000)
        at = self.since + ((after - self.since) // step + 1) * step
        while True:
            yield at
            at += step

    def _cron(self, after: int) -> Iterator[int]:
        try:
            from cronsim import CronSim, CronSimError
        except ImportError:
            raise BadInput("a cron expression needs a package more: pip install cronsim") from None
        zone = zone_of(self.zone)
        begin = datetime.fromtimestamp(after / 1000, UTC).astimezone(zone)
        try:
            times = CronSim(self.cron, begin)
        except CronSimError as error:
            raise BadInput(f"{self.cron!r} is no cron expression: {error}", field="cron") from None
        for time in times:
            at = round(time.astimezone(UTC).timestamp() * 1000)
            if at > after:
                yield at

    def run_id(self, at: int) -> str:
        """Return the id of the run that is due at a time: the same for everybody who starts it."""
        moment = datetime.fromtimestamp(at / 1000, UTC)
        fraction = f"{moment.microsecond // 1000:03d}" if moment.microsecond else ""
        return f"{self.name}-{moment:%Y%m%dT%H%M%S}{fraction}Z"

    def due(self, now: int) -> tuple[list[int], int | None]:
        """Return the times that are to be started by now, and the next one after that.

        What was missed for longer than `catch_up` is not among them.
        """
        oldest = now - round(seconds(self.catch_up) * 1000) - 1
        after = max(self.last if self.last is not None else self.since, oldest)
        found: list[int] = []
        for at in self.times(after):
            if at > now:
                return found, at
            found.append(at)
        return found, None


_OVERLAPS = ("skip", "queue", "allow", "cancel")
_LONGEST = 100
_SELDOM = 10 * 366 * 86_400


def made(now: int, *, at: str = "", until: str = "", zone: str = "UTC", **fields: Any) -> Schedule:
    """Return a new schedule that begins `now` (ms): `at` and `until` are what `moment` takes.

    Raises BadInput, also if it is never due.
    """
    place = zone_of(zone)
    schedule = Schedule(
        at=moment(at, place, now),
        until=due(moment(until, place, now), 0) if until else None,
        zone=zone,
        since=now,
        **fields,
    ).check()
    if next(schedule.times(now), None) is None:
        raise BadInput(f"the schedule {schedule.name!r} is never due: its time is over")
    return schedule
