"""What a webhook says of a run that has ended: the same bytes for every try."""

from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import Raw

from flopod.backends.base import Backend
from flopod.engine.inspecting import shown, shown_error
from flopod.events import FINAL, Event, RunCancelled, RunCompleted, RunFailed, RunSummary

LARGEST = 256 * 1024
"""Bytes of a result that is sent along; a larger one is fetched from the server."""

_FEW = 16


def tell(backend: Backend, run_id: str, public_url: str) -> bytes | None:
    """Return the body of the webhook of a run, None if the run has not ended or is not there any more."""
    summary = backend.summary(run_id)
    if summary is None or summary.status not in FINAL:
        return None
    data: dict[str, Any] = {"run_id": run_id, "workflow": summary.workflow, "status": summary.status}
    if public_url:
        data["url"] = f"{public_url}/runs/{run_id}"
    data |= _of_end(_end(backend, summary), summary)
    at = datetime.fromtimestamp((summary.ended_at or 0) / 1000, UTC).isoformat(timespec="milliseconds")
    document = {"type": f"run.{summary.status}", "timestamp": at.replace("+00:00", "Z"), "data": data}
    return msgspec.json.encode(document)


def _end(backend: Backend, summary: RunSummary) -> Event | None:
    """The event that ended a run, which is the last one, or nearly."""
    for after in (max(0, summary.seq - _FEW), 0):
        ends = [
            record.event
            for record in backend.scan(summary.run_id, after)
            if isinstance(record.event, RunCompleted | RunFailed | RunCancelled)
        ]
        if ends:
            return ends[-1]
    return None


def _of_end(end: Event | None, summary: RunSummary) -> dict[str, Any]:
    if isinstance(end, RunCompleted):
        return _result(end.result)
    if isinstance(end, RunFailed):
        return {"error": {"type": _type_of(end.error), "message": shown_error(end.error)}}
    return {"error": {"message": summary.error}} if summary.error else {}


def _result(result: Raw) -> dict[str, Any]:
    size = len(bytes(result))
    return {"result": shown(result)} if size <= LARGEST else {"result_size": size}


def _type_of(error: Raw) -> str:
    document = msgspec.json.decode(bytes(error))
    return str(document.get("type", "")).removeprefix("builtins:")
