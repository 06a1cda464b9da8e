"""The page of a run, its parts as fragments, and what is behind links in it."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from msgspec import Raw
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from flopod.backends.base import now_ms
from flopod.engine.waits import recorded_waits
from flopod.errors import UnknownRun
from flopod.events import FINAL, Event, Record, RunSummary, kind_of
from flopod.runid import is_run_id
from flopod.server.host import Build
from flopod.server.pages.site import Site, entry_of
from flopod.server.problems import BAD_REQUEST, NOT_FOUND, Refused
from flopod.server.views.actions import actions
from flopod.server.views.course import Course
from flopod.server.views.forms import Field, form_of
from flopod.server.views.graphview import graph_svg
from flopod.server.views.history import entry_of as history_entry
from flopod.server.views.history import history
from flopod.server.views.panel import panel
from flopod.server.views.places import Places
from flopod.server.views.runview import Open, RunView, run_view, summary_at
from flopod.server.views.sourceview import source_view
from flopod.server.views.variables import variables
from flopod.server.views.waterfall import waterfall

PARTS = ("head", "now", "source", "graph", "waterfall", "values", "variables", "history")
"""The parts of the page that change while a run goes on; each has a template of its name."""

TOLD: Mapping[str, str] = {
    "cancel.now": "The run is cancelled.",
    "cancel.told": "The run was told that it is cancelled; it may clean up before it ends.",
    "cancel.underway": "The run is being cancelled.",
    "pause.now": "The run is paused.",
    "pause.told": "The run was told to pause; steps under way end first.",
    "pause.already": "The run was paused already.",
    "resume.now": "The run goes on.",
    "resume.already": "The run was not paused.",
    "retry.now": "The run goes on from where it failed.",
    "deliver.now": "Delivered.",
    "fork.now": "This run is the fork: it has the past of the other one.",
    "start.now": "The run is started.",
}


class Shown(NamedTuple):
    """A run as of some time: its log up to there, and what that tells."""

    summary: RunSummary
    records: Sequence[Record]
    course: Course
    view: RunView
    build: Build | None
    now: int
    at: int | None
    last_seq: int


class RunPage:
    """The pages about one run."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def page(self, request: Request) -> Response:
        """The page of a run; with `at` as it was after the record of that number."""
        return self.rendered(request, request.path_params["run_id"])

    def rendered(
        self,
        request: Request,
        run_id: str,
        *,
        error: str = "",
        status: int = 200,
        forms: Mapping[str, Field] | None = None,
    ) -> Response:
        """The page, with an error to be shown in it, or with forms that were filled in wrongly by path."""
        shown = self.shown(run_id, _number(request, "at"))
        model = self._model(request, shown, forms or {})
        told = TOLD.get(request.query_params.get("told", ""), "")
        return self._site.pages.page(
            "run.html", status, **model, parts=PARTS, error=error, told=told, op=self._panel(request, shown)
        )

    def live(self, request: Request) -> Response:
        """What has changed since the record `seq`: the parts as HTML, and how the run stands."""
        run_id = request.path_params["run_id"]
        seq, at = _number(request, "seq"), _number(request, "at")
        if seq is not None and at is None and self._summary(run_id).seq == seq:
            return Response(status_code=204)
        shown = self.shown(run_id, at)
        model = self._model(request, shown, {})
        before = {kind_of(record.event) for record in shown.records if record.seq > (seq or 0)}
        parts = [name for name in PARTS if at is not None or seq is None or _concerns(name, before)]
        following = next((one for one in self._records(shown) if one.seq > shown.summary.seq), None)
        return JSONResponse(
            {
                "seq": shown.summary.seq,
                "status": shown.view.status,
                "label": shown.view.label,
                "over": shown.view.is_over,
                "at": shown.course.last,
                "next": None if following is None else {"seq": following.seq, "at": following.event.at},
                "parts": {name: self._site.pages.text(f"_{name}.html", **model) for name in parts},
            }
        )

    def operation(self, request: Request) -> Response:
        """The side panel: one operation with its attempts and values."""
        shown = self.shown(request.path_params["run_id"], _number(request, "at"))
        found = self._panel(request, shown)
        if found is None:
            raise Refused(BAD_REQUEST, "say which operation: ?op=PATH", field="op")
        return self._site.pages.page("_panel.html", op=found, run=shown.view, at=shown.at)

    def event(self, request: Request) -> Response:
        """One event with all its values."""
        shown = self.shown(request.path_params["run_id"])
        record = self._record(shown, request)
        values = [(name, value) for name, value in _fields(record.event)]
        entry = history_entry(record)
        return self._site.pages.page("_event.html", run=shown.view, entry=entry, values=values)

    def raw(self, request: Request) -> Response:
        """A recorded value as it is in the log."""
        shown = self.shown(request.path_params["run_id"])
        record = self._record(shown, request)
        value = getattr(record.event, request.path_params["field"], None)
        if not isinstance(value, Raw):
            raise Refused(NOT_FOUND, f"the event has no value {request.path_params['field']!r}")
        return Response(bytes(value), media_type="application/json")

    def shown(self, run_id: str, at: int | None = None) -> Shown:
        """Return what there is to show of a run. Raises UnknownRun."""
        summary = self._summary(run_id)
        records = self._site.logs.of(summary)
        last_seq = records[-1].seq if records else 0
        if at is not None:
            records = [record for record in records if record.seq <= at] or records[:1]
            summary = summary_at(records)
        course = Course(records)
        now = course.last if at is not None or summary.status in FINAL else now_ms()
        points = recorded_waits(self._site.backend, run_id) or []
        view = run_view(summary, records, course, points, now)
        return Shown(summary, records, course, view, self._site.build_of(summary.build), now, at, last_seq)

    def _records(self, shown: Shown) -> Sequence[Record]:
        return self._site.logs.of(self._summary(shown.summary.run_id)) if shown.at is not None else ()

    def _summary(self, run_id: str) -> RunSummary:
        found = self._site.backend.summary(run_id) if is_run_id(run_id) else None
        if found is None:
            raise UnknownRun(run_id, self._site.backend.describe())
        return found

    def _record(self, shown: Shown, request: Request) -> Record:
        seq = request.path_params["seq"]
        found = next((record for record in shown.records if str(record.seq) == seq), None)
        if found is None:
            raise Refused(NOT_FOUND, f"the log has no event {seq[:40]!r}, or it was compacted away")
        return found

    def _panel(self, request: Request, shown: Shown) -> Any:
        path = request.query_params.get("op", "")
        entry = entry_of(shown.build, shown.summary.workflow)
        return panel(path, shown.course, Places([] if entry is None else entry.paths)) if path else None

    def _model(self, request: Request, shown: Shown, forms: Mapping[str, Field]) -> dict[str, Any]:
        query = request.query_params
        summary, build = shown.summary, shown.build
        entry = entry_of(build, summary.workflow)
        has_source = build is not None and entry is not None
        return {
            "run": shown.view,
            "buttons": actions(summary),
            "forms": {
                one.path: forms.get(one.path) or _form(one) for one in shown.view.going_on if one.event
            },
            "source": source_view(build, entry, shown.course, shown.now) if build and entry else None,
            "graph": graph_svg(build, summary.workflow, shown.records) if build and has_source else "",
            "fall": waterfall(shown.course, shown.now, _opened(query.get("open", ""))),
            "variables": variables(shown.records),
            "history": history(shown.records, _number(request, "after"), query.get("kind", "")),
            "course": shown.course,
            "at": shown.at,
            "last_seq": shown.last_seq,
            "until": shown.now,
            "notice": "" if shown.view.is_over else self._site.host.notice(summary.run_id),
        }


def _form(one: Open) -> Field:
    return form_of(None if one.schema is None else json.loads(bytes(one.schema)), one.event)


def _concerns(part: str, kinds: set[str]) -> bool:
    """Whether a part of the page can look otherwise after such events."""
    if part == "variables":
        return bool(
            kinds & {"var_changed", "list_changed", "map_changed", "iteration_completed", "run_rewound"}
        )
    return True


def _opened(text: str) -> dict[str, int]:
    """`lines:40` as a loop, with the iteration from which on it is shown."""
    path, _, start = text.rpartition(":")
    return {path: int(start)} if path and start.isdecimal() and len(start) < 10 else {}


def _number(request: Request, name: str) -> int | None:
    text = request.query_params.get(name, "")
    if not text:
        return None
    if not text.isdecimal() or len(text) > 15:
        raise Refused(BAD_REQUEST, f"{name}={text[:40]!r} is no number of an event", field=name)
    return int(text)


def _fields(event: Event) -> list[tuple[str, Any]]:
    """The fields of an event that say something."""
    found: list[tuple[str, Any]] = []
    for name in event.__struct_fields__:
        value = getattr(event, name)
        if name not in ("path", "at") and (isinstance(value, Raw) or value):
            found.append((name, value))
    return found
