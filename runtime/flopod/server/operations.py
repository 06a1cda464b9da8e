"""What can be asked of a server, a row for each method of an address: routes and OpenAPI are made of it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from flopod.graph import Picture
from flopod.server import types as t
from flopod.server.api import control, events, health, links, runs, schedules, workflows
from flopod.server.reading import HTML, JSON, SSE

Handler = Callable[[Request], Awaitable[Response]]


class Answer(NamedTuple):
    """A way in which a request is answered if all goes well; `kinds` are media types with what they hold."""

    about: str
    kinds: Mapping[str, type[Any]] = {}
    has_location: bool = False


class Operation(NamedTuple):
    """A method of an address. `optional` says that the body may be left out; `headers` are those it reads.

    `problems` are the statuses of refusals, beside those that any request can meet.
    """

    method: str
    path: str
    handler: Handler
    summary: str
    answers: Mapping[int, Answer]
    body: type[Any] | None = None
    optional: bool = False
    query: type[Any] = t.NoQuery
    headers: Sequence[str] = ()
    problems: Sequence[int] = ()
    open: bool = False

    @property
    def name(self) -> str:
        """The id of the operation."""
        return getattr(self.handler, "__name__", "")


def _json(about: str, kind: type[Any], *, located: bool = False) -> Answer:
    return Answer(about, {JSON: kind}, located)


_DONE = {
    200: _json("It is done.", t.Ordered),
    202: _json("The process that has the run is told.", t.Ordered),
}

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        "POST",
        "/runs",
        runs.start_run,
        "Start a run",
        {202: _json("The run is recorded, and surely runs.", t.Started, located=True)},
        body=t.StartRun,
        headers=("Idempotency-Key",),
        problems=(403, 404, 409, 422),
    ),
    Operation(
        "GET",
        "/runs",
        runs.list_runs,
        "List runs, the youngest first",
        {200: _json("A page of runs.", t.RunPage)},
        query=t.RunQuery,
        problems=(422,),
    ),
    Operation(
        "GET",
        "/runs/{run_id}",
        runs.show_run,
        "Show a run",
        {200: _json("The run.", t.RunDetails)},
        problems=(404,),
    ),
    Operation(
        "GET",
        "/runs/{run_id}/events",
        events.run_events,
        "List the events of a run, or follow them",
        {
            200: Answer("Events, in their order.", {JSON: t.EventPage, SSE: str}),
            204: Answer("The run is over, and nothing follows the event that was seen last."),
        },
        query=t.EventQuery,
        headers=("Last-Event-ID",),
        problems=(404,),
    ),
    Operation(
        "POST",
        "/runs/{run_id}/deliver",
        control.deliver_event,
        "Deliver an event to a run",
        {202: _json("The event is in the inbox of the run.", t.Delivered)},
        body=t.Deliver,
        problems=(404, 409, 422),
    ),
    Operation(
        "POST",
        "/runs/{run_id}/cancel",
        control.cancel_run,
        "Cancel a run",
        _DONE,
        body=t.Cancel,
        optional=True,
        problems=(404, 409),
    ),
    Operation(
        "POST",
        "/runs/{run_id}/pause",
        control.pause_run,
        "Pause a run",
        _DONE,
        body=t.Because,
        optional=True,
        problems=(404, 409),
    ),
    Operation(
        "POST",
        "/runs/{run_id}/resume",
        control.resume_run,
        "Let a paused run go on",
        _DONE,
        body=t.Nothing,
        optional=True,
        problems=(404, 409),
    ),
    Operation(
        "POST",
        "/runs/{run_id}/retry",
        control.retry_run,
        "Let a failed or cancelled run go on from where it failed",
        _DONE,
        body=t.Because,
        optional=True,
        problems=(404, 409),
    ),
    Operation(
        "POST",
        "/runs/{run_id}/fork",
        control.fork_run,
        "Begin a new run with the past of another",
        {201: _json("The new run.", t.Started, located=True)},
        body=t.Fork,
        optional=True,
        problems=(404, 409, 422),
    ),
    Operation(
        "POST",
        "/runs/{run_id}/links",
        links.make_link,
        "Make a link at which a person can deliver an event, once",
        {201: _json("The link: whoever has it may deliver.", t.Link, located=True)},
        body=t.NewLink,
        problems=(404, 409, 422),
    ),
    Operation(
        "GET",
        "/deliver/{token}",
        links.show_link,
        "Show what is asked at a link",
        {200: Answer("What is asked.", {JSON: t.Asked, HTML: str})},
        problems=(404, 409, 410),
        open=True,
    ),
    Operation(
        "POST",
        "/deliver/{token}",
        links.use_link,
        "Deliver with a link",
        {202: _json("The event is in the inbox of the run.", t.Delivered)},
        body=t.Answer,
        problems=(404, 409, 410, 422),
        open=True,
    ),
    Operation(
        "GET",
        "/events",
        events.all_events,
        "Follow which runs change, and how many have which status",
        {200: Answer("Counts and ids, at most twice a second.", {SSE: str})},
    ),
    Operation(
        "GET",
        "/workflows",
        workflows.list_workflows,
        "List what can be started",
        {200: _json("The workflows.", t.Workflows)},
    ),
    Operation(
        "GET",
        "/workflows/{name}",
        workflows.show_workflow,
        "Show a workflow",
        {200: _json("The workflow.", t.Workflow)},
        problems=(404,),
    ),
    Operation(
        "GET",
        "/workflows/{name}/graph",
        workflows.draw_workflow,
        "Draw a workflow",
        {200: Answer("The picture.", {**dict.fromkeys(workflows.TYPES.values(), str), JSON: Picture})},
        query=t.GraphQuery,
        problems=(404,),
    ),
    Operation(
        "GET",
        "/schedules",
        schedules.list_schedules,
        "List the schedules",
        {200: _json("The schedules.", t.Schedules)},
    ),
    Operation(
        "POST",
        "/schedules",
        schedules.add_schedule,
        "Keep a new schedule",
        {201: _json("The schedule.", t.Schedule, located=True)},
        body=t.NewSchedule,
        problems=(404, 409, 422),
    ),
    Operation(
        "GET",
        "/schedules/{name}",
        schedules.show_schedule,
        "Show a schedule",
        {200: _json("The schedule.", t.Schedule)},
        problems=(404,),
    ),
    Operation(
        "PUT",
        "/schedules/{name}",
        schedules.put_schedule,
        "Keep a schedule, in the place of one of its name",
        {200: _json("The schedule.", t.Schedule)},
        body=t.SetSchedule,
        problems=(404, 422),
    ),
    Operation(
        "DELETE",
        "/schedules/{name}",
        schedules.remove_schedule,
        "Forget a schedule; its runs stay",
        {204: Answer("It is forgotten.")},
        problems=(404,),
    ),
    Operation(
        "POST",
        "/schedules/{name}/pause",
        schedules.pause_schedule,
        "Start nothing until it is resumed",
        {200: _json("The schedule.", t.Schedule)},
        body=t.Nothing,
        optional=True,
        problems=(404,),
    ),
    Operation(
        "POST",
        "/schedules/{name}/resume",
        schedules.resume_schedule,
        "Let a schedule go on",
        {200: _json("The schedule.", t.Schedule)},
        body=t.Nothing,
        optional=True,
        problems=(404,),
    ),
    Operation(
        "GET",
        "/healthz",
        health.healthz,
        "Say whether the process is up",
        {200: _json("It is.", t.Health)},
        open=True,
    ),
    Operation(
        "GET",
        "/readyz",
        health.readyz,
        "Say whether runs can be taken",
        {200: _json("They can.", t.Health)},
        open=True,
    ),
    Operation(
        "GET",
        "/metrics",
        health.metrics,
        "Give metrics to Prometheus",
        {200: Answer("Metrics in text format 0.0.4.", {"text/plain": str})},
    ),
    Operation(
        "GET",
        "/openapi.json",
        health.openapi,
        "Describe this API",
        {200: Answer("An OpenAPI 3.1 document.", {JSON: dict})},
    ),
)
