"""The run list: filters, a page of runs, and what is done to several of them at once."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from flopod.backends.base import Filter, cursor_after, now_ms
from flopod.engine import control
from flopod.errors import BadInput, FlopodError
from flopod.events import Status
from flopod.runid import is_run_id
from flopod.server.pages.posted import one, posted
from flopod.server.pages.site import Site
from flopod.server.views.listing import STATUSES, chips, rows
from flopod.server.views.words import counted

_PAGE = 50
_DIGITS = 6
_BULK = {"cancel": control.cancel, "retry": control.retry, "pause": control.pause, "resume": control.resume}
_TOLD = ("did", "amount", "refused")


class RunPages:
    """The pages about many runs."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def index(self, request: Request) -> Response:
        """The run list, or with `fragment=1` only its table, for a page that is open."""
        model = self._model(request)
        name = "_runs.html" if request.query_params.get("fragment") else "runs.html"
        return self._site.pages.page(name, **model)

    async def bulk(self, request: Request) -> Response:
        """Do something to the runs that were chosen, and come back to the list."""
        fields = await posted(request)
        action, run_ids = one(fields, "action"), fields.get("run", [])
        refused = await run_in_threadpool(self._do, action, run_ids)
        kept = [pair for pair in request.query_params.multi_items() if pair[0] not in _TOLD]
        told = [
            ("did", action),
            ("amount", len(run_ids) - len(refused)),
            *(("refused", each) for each in refused),
        ]
        return RedirectResponse(f"/?{urlencode([*kept, *told])}", 303)

    def _do(self, action: str, run_ids: Sequence[str]) -> list[str]:
        """Give an order to runs; returns those that cannot follow it."""
        order = _BULK.get(action)
        if order is None:
            raise BadInput(f"there is no action {action!r}", field="action")
        refused: list[str] = []
        for run_id in run_ids:
            try:
                order(self._site.backend, run_id)
            except FlopodError:
                refused.append(run_id)
        return refused

    def _model(self, request: Request) -> Mapping[str, Any]:
        query = request.query_params
        chosen: list[Status] = [one for one in STATUSES if one in query.getlist("status")]
        workflow, text, cursor = (
            query.get("workflow") or None,
            query.get("q", ""),
            query.get("cursor") or None,
        )
        found = self._find(chosen, workflow, text, cursor)
        counts = self._site.backend.counts()
        kept = [("status", one) for one in chosen] + [("workflow", workflow or ""), ("q", text)]
        kept = [(name, value) for name, value in kept if value]
        return {
            "address": str(request.base_url).rstrip("/"),
            "rows": rows(found[:_PAGE], now_ms()),
            "chips": chips(counts, chosen),
            "total": sum(counts.values()),
            "chosen": chosen,
            "workflow": workflow or "",
            "q": text,
            "workflows": [one.entry.name for one in self._site.host.workflows()],
            "next": urlencode([*kept, ("cursor", cursor_after(found[_PAGE - 1]))])
            if len(found) > _PAGE
            else "",
            "is_first": cursor is None,
            "query": urlencode(kept),
            "told": _told(query),
            "trouble": self._site.host.trouble(),
        }

    def _find(
        self, chosen: Sequence[Status], workflow: str | None, text: str, cursor: str | None
    ) -> Sequence[Any]:
        backend = self._site.backend
        if text or len(chosen) > 1:
            return backend.find(Filter(status=chosen, workflow=workflow, text=text), _PAGE + 1, cursor)
        return backend.summaries(chosen[0] if chosen else None, workflow, _PAGE + 1, cursor)


def _told(query: QueryParams) -> str:
    """What was done to runs, as the address says it: in words of ours, so that a link cannot say others."""
    action, amount = query.get("did", ""), query.get("amount", "")
    if action not in _BULK or not amount.isdecimal() or len(amount) > _DIGITS:
        return ""
    refused = [run_id for run_id in query.getlist("refused") if is_run_id(run_id)]
    more = f", but not {', '.join(refused)}: they are in no state for it" if refused else ""
    return f"Told {counted(int(amount), 'run')} to {action}{more}."
