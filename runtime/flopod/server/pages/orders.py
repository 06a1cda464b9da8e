"""What the buttons and forms of a run's page do."""

import json
from collections.abc import Callable, Mapping
from urllib.parse import quote

from msgspec import Raw
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from flopod import codec
from flopod.backends.base import Backend
from flopod.engine import control
from flopod.engine.copies import fork
from flopod.engine.inputs import parse_json
from flopod.engine.waits import deliver, matches, recorded_waits
from flopod.errors import BadInput, Conflict, FlopodError, UnknownPath
from flopod.runid import new_run_id
from flopod.server.pages.posted import Posted, one, posted
from flopod.server.pages.run import RunPage
from flopod.server.pages.site import Site
from flopod.server.problems import NOT_FOUND, Refused
from flopod.server.views.forms import Field, blame, form_of, read

Order = Callable[[Backend, str], control.Done]

ORDERS: Mapping[str, Order] = {
    "cancel": control.cancel,
    "pause": control.pause,
    "resume": control.resume,
    "retry": control.retry,
}


class OrderPages:
    """Takes what a run's page sends; comes back to that page, with what was wrong if anything was."""

    def __init__(self, site: Site, run: RunPage) -> None:
        self._site = site
        self._run = run

    async def order(self, request: Request) -> Response:
        """Cancel, pause, resume or retry a run."""
        run_id, name = request.path_params["run_id"], request.path_params["order"]
        order = ORDERS.get(name)
        if order is None:
            raise Refused(NOT_FOUND, f"A run cannot be told to {name}.")
        return await run_in_threadpool(self._order, request, run_id, name, order)

    def _order(self, request: Request, run_id: str, name: str, order: Order) -> Response:
        try:
            done = order(self._site.backend, run_id)
        except Conflict as error:
            return self._run.rendered(request, run_id, error=str(error), status=409)
        return _back(run_id, f"{name}.{done.value}")

    async def fork(self, request: Request) -> Response:
        """Begin a run with the past of this one, up to the operation `from`."""
        fields = await posted(request)
        return await run_in_threadpool(self._fork, request, fields)

    def _fork(self, request: Request, fields: Posted) -> Response:
        run_id, text = request.path_params["run_id"], one(fields, "input").strip()
        try:
            value = Raw(codec.encode(parse_json(text, "the input"))) if text else None
            made = fork(
                self._site.backend,
                run_id,
                one(fields, "new_run_id").strip() or new_run_id(),
                one(fields, "from") or None,
                value,
            )
        except (Conflict, BadInput, UnknownPath) as error:
            return self._run.rendered(request, run_id, error=str(error), status=409)
        return _back(made, "fork.now")

    async def deliver(self, request: Request) -> Response:
        """Deliver what a form says to the wait at a path."""
        fields = await posted(request)
        return await run_in_threadpool(self._deliver, request, fields)

    def _deliver(self, request: Request, fields: Posted) -> Response:
        run_id = request.path_params["run_id"]
        path, event = one(fields, "path"), one(fields, "event")
        form = wait_form(self._site.backend, run_id, path, event)
        told = delivered(self._site.backend, run_id, path, event, form, fields)
        if told is None:
            return _back(run_id, "deliver.now")
        return self._run.rendered(request, run_id, error=told, status=422, forms={path: form})


def wait_form(backend: Backend, run_id: str, path: str, event: str) -> Field:
    """Return the form of what the wait at a path takes."""
    return form_of(wait_schema(backend, run_id, path, event), event)


def wait_schema(backend: Backend, run_id: str, path: str, event: str) -> "Mapping[str, object] | None":
    """Return the schema of what a wait takes, None if it takes anything or there is no such wait."""
    for point in recorded_waits(backend, run_id) or ():
        if matches(point.path, path) and point.event in (event, "*") and point.schema is not None:
            found: dict[str, object] = json.loads(bytes(point.schema))
            return found
    return None


def delivered(
    backend: Backend, run_id: str, path: str, event: str, form: Field, fields: Posted
) -> str | None:
    """Deliver what a filled form says; returns None, or what was wrong besides errors at its fields."""
    try:
        data = read(form, fields)
        schema = wait_schema(backend, run_id, path, event)
        if schema is not None:
            codec.check_schema(dict(schema), data)
    except BadInput as error:
        return blame(form, error)
    try:
        deliver(backend, run_id, path, event, json.dumps(data))
    except FlopodError as error:
        return str(error)
    return None


def _back(run_id: str, told: str) -> Response:
    return RedirectResponse(f"/ui/runs/{quote(run_id)}?told={told}", 303)
