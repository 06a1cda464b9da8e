"""What Prometheus is told, read by a strict reader."""

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from flopod.backends import MemoryBackend
from flopod.errors import StorageError
from flopod.server.guard.observing import observed
from flopod.server.metrics import Family, Requests, render
from flopod.server.settings import Settings
from flopod.server.webhooks import Webhooks
from tests.server.guard.prometheus import Sample, read
from tests.server.webhooks.runs import begin, end


def context(store: Any, **more: Any) -> Any:
    manifest = SimpleNamespace(build="b1", name='sh"op\\\n')
    host = SimpleNamespace(backend=store, build=SimpleNamespace(manifest=manifest), **more)
    return SimpleNamespace(host=host, webhooks=Webhooks(store, Settings(secret=b"s" * 32)))


def values(metric: tuple[str, list[Sample]], label: str) -> dict[str, float]:
    return {sample.labels[label]: sample.value for sample in metric[1]}


def test_a_server_tells_what_it_is_and_has() -> None:
    """Runs by status, load, webhooks; odd names are escaped."""
    store = MemoryBackend()
    for run_id in ("a", "b", "c"):
        begin(store, run_id)
    end(store, "a")
    end(store, "b", "failed")
    found = read(render(context(store, load=lambda: {"runs_under_way": 3, "runs_in_line": 1.5})).decode())
    runs = values(found["flopod_runs"], "status")
    assert {status: count for status, count in runs.items() if count} == {
        "completed": 1,
        "failed": 1,
        "pending": 1,
    }
    assert found["flopod_build_info"][1][0].labels["name"] == 'sh"op\\\n'
    assert found["flopod_engine_runs_in_line"][1][0].value == 1.5
    assert values(found["flopod_webhooks_pending"], "state") == {"waiting": 0, "due": 0}
    assert found["process_start_time_seconds"][1][0].value > 1_700_000_000


def test_a_store_in_trouble_leaves_the_rest() -> None:
    """Somebody has to see that it is."""

    class Broken(MemoryBackend):
        def counts(self) -> Any:
            raise StorageError("gone")

    found = read(render(context(Broken())).decode())
    assert "flopod_runs" not in found
    assert "flopod_build_info" in found


def ask(app: Any, path: str, method: str = "GET") -> None:
    async def receive() -> Any:
        await asyncio.sleep(60)

    async def send(_: Any) -> None:
        pass

    scope = {"type": "http", "method": method, "path": path, "query_string": b"", "headers": []}
    asyncio.run(app(scope, receive, send))


async def run(_: Request) -> Response:
    return Response("ok")


async def stream(_: Request) -> Response:
    async def lines() -> AsyncIterator[bytes]:
        yield b"data: 1\n\n"

    return StreamingResponse(lines(), media_type="text/event-stream")


async def broken(_: Request) -> Response:
    raise ValueError


def test_requests_are_counted_by_their_routes() -> None:
    """However many runs and clients there are, there are few series."""
    requests = Requests()
    routes = [Route("/runs/{run_id}", run), Route("/events", stream), Route("/broken", broken)]
    app = observed(Starlette(routes=routes), requests)
    for number in range(300):
        ask(app, f"/runs/{number}")
        ask(app, f"/nothing/{number}")
        ask(app, "/runs/1", f"METHOD{number}")
    ask(app, "/events")
    ask(app, "/broken")
    found = read("".join(family.text for family in requests.families()))
    counts = {tuple(one.labels.values()): one.value for one in found["flopod_http_requests_total"][1]}
    assert counts == {
        ("/broken", "GET", "500"): 1,
        ("/events", "GET", "200"): 1,
        ("/runs/{run_id}", "GET", "200"): 300,
        ("/runs/{run_id}", "other", "405"): 300,
        ("none", "GET", "404"): 300,
    }
    times = found["flopod_http_request_duration_seconds"][1]
    timed = {one.labels["route"]: one.value for one in times if one.name.endswith("_count")}
    assert (timed["none"], timed["/events"]) == (300, 0)
    assert found["flopod_http_streams"][1][0].value == 0


def test_what_is_counted_falls_into_its_bucket() -> None:
    """A bound belongs to what is below it; what is above all counts too."""
    requests = Requests()
    for seconds in (0.001, 0.0011, 99.0):
        requests.note("/x", "GET", 200, seconds)
    family = read("".join(each.text for each in requests.families()))["flopod_http_request_duration_seconds"][
        1
    ]
    buckets = {one.labels["le"]: one.value for one in family if one.name.endswith("_bucket")}
    assert (buckets["0.001"], buckets["0.0025"], buckets["10.0"], buckets["+Inf"]) == (1, 2, 2, 3)


def test_routes_are_bounded() -> None:
    """Should they ever not be templates."""
    requests = Requests()
    for number in range(5000):
        requests.note(f"/{number}", "GET", 200, 0.1)
    assert (
        len(read("".join(each.text for each in requests.families()))["flopod_http_requests_total"][1]) <= 1001
    )


@pytest.mark.parametrize("text", ["x y", 'x{a="1",a="2"} 1', "x{a=1} 1", "# TYPE y counter"])
def test_the_reader_is_strict(text: str) -> None:
    """Else these tests say nothing."""
    assert read(Family("x", "gauge", "About.").add(1, a="1").text)
    with pytest.raises(AssertionError):
        read(f"# HELP x About.\n# TYPE x gauge\n{text}\n")
