"""The schedules: when they are due, and whether they are paused."""

from itertools import islice

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from flopod.backends.base import now_ms
from flopod.engine.schedule import Schedule
from flopod.engine.scheduling import Schedules
from flopod.server.pages.site import Site
from flopod.server.problems import NOT_FOUND, Refused

_NEXT = 3


class SchedulePages:
    """The pages about schedules."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def index(self, request: Request) -> Response:
        """All schedules, with the next times of each."""
        del request
        found = Schedules(self._site.backend).all()
        return self._site.pages.page("schedules.html", schedules=[(one, _times(one)) for one in found])

    async def order(self, request: Request) -> Response:
        """Pause a schedule, or let it go on."""
        name, paused = request.path_params["name"], request.path_params["order"] == "pause"
        if request.path_params["order"] not in ("pause", "resume"):
            raise Refused(NOT_FOUND, "A schedule can be paused and resumed.")
        await run_in_threadpool(Schedules(self._site.backend).pause, name, paused)
        self._site.host.look()
        return RedirectResponse("/ui/schedules", 303)


def _times(schedule: Schedule) -> list[int]:
    return list(islice(schedule.times(now_ms()), _NEXT))
