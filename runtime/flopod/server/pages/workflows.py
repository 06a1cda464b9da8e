"""The workflows of the build: what they are, their pictures, and the form that starts one."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from flopod import codec
from flopod.backends.base import now_ms
from flopod.errors import BadInput, Conflict, StoppedByHook, UnknownWorkflow, UsageError
from flopod.runid import check_run_id, new_run_id
from flopod.server.host import NotRunning, Start, WorkflowInfo
from flopod.server.pages.posted import Posted, one, posted
from flopod.server.pages.site import Site
from flopod.server.views.forms import Field, blame, form_of, read
from flopod.server.views.graphview import graph_svg
from flopod.server.views.listing import rows

_RECENT = 10
_REFUSED = (UsageError, Conflict, StoppedByHook, NotRunning)


class WorkflowPages:
    """The pages about workflows."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def index(self, request: Request) -> Response:
        """All workflows."""
        del request
        host = self._site.host
        return self._site.pages.page(
            "workflows.html", infos=host.workflows(), build=host.build.manifest, trouble=host.trouble()
        )

    def page(self, request: Request) -> Response:
        """One workflow, with the form that starts it."""
        info = self._info(request)
        return self._rendered(info, form_of(info.schema, "input"))

    async def start(self, request: Request) -> Response:
        """Start a run of what the form says, and go to its page."""
        fields = await posted(request)
        info = await run_in_threadpool(self._info, request)
        form = form_of(info.schema, "input")
        try:
            run_id = await self._start(info, form, fields)
        except _REFUSED as error:
            told = blame(form, error) if isinstance(error, BadInput) else str(error)
            return await run_in_threadpool(self._rendered, info, form, told, one(fields, "run_id"), 422)
        return RedirectResponse(f"/ui/runs/{quote(run_id)}?told=start.now", 303)

    async def _start(self, info: WorkflowInfo, form: Field, fields: Posted) -> str:
        data = read(form, fields)
        given = one(fields, "run_id").strip()
        run_id = check_run_id(given) if given else new_run_id()
        codec.check_schema(dict(info.schema), data)
        await self._site.host.start(Start(workflow=info.entry.name, input=data, run_id=run_id))
        return run_id

    def _info(self, request: Request) -> WorkflowInfo:
        name = request.path_params["name"]
        infos = {info.entry.name: info for info in self._site.host.workflows()}
        if name not in infos:
            raise UnknownWorkflow(name, infos)
        return infos[name]

    def _rendered(
        self, info: WorkflowInfo, form: Field, error: str = "", run_id: str = "", status: int = 200
    ) -> Response:
        host = self._site.host
        recent = self._site.backend.summaries(workflow=info.entry.name, limit=_RECENT)
        model: Mapping[str, Any] = {
            "info": info,
            "form": form,
            "error": error,
            "run_id": run_id,
            "graph": graph_svg(host.build, info.entry.name),
            "rows": rows(recent, now_ms()),
            "trouble": host.trouble(),
        }
        return self._site.pages.page("workflow.html", status, **model)
