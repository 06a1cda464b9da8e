"""HTTP as one expects it: methods, forms, bodies, and problems for all that is wrong."""

import asyncio
import time
from typing import Any

import pytest

from flopod.backends.memory import MemoryBackend
from flopod.errors import StorageFull
from flopod.server.reading import accepts
from tests.server.api.world import World, within

JSON = {"Content-Type": "application/json"}


def test_every_refusal_is_a_problem() -> None:
    """With type, title, status and detail, and its own media type."""

    async def use(world: World) -> None:
        for method, path, status in (
            ("GET", "/nowhere", 404),
            ("GET", "/runs/", 404),
            ("GET", "/runs/a/b/c", 404),
            ("DELETE", "/runs", 405),
            ("GET", "/runs/none", 404),
            ("GET", "/runs?x=1", 400),
        ):
            response = await world.ask(status, method, path)
            assert response.headers["content-type"] == "application/problem+json"
            problem = response.json()
            assert problem["status"] == status and problem["type"].startswith("/problems/")
            assert problem["title"] and problem["detail"]

    within(use)


def test_a_method_that_there_is_not_is_told_those_that_there_are() -> None:
    """In Allow, for OPTIONS as well."""

    async def use(world: World) -> None:
        assert (await world.ask(405, "PATCH", "/runs")).headers["allow"] == "GET, HEAD, OPTIONS, POST"
        assert (await world.ask(405, "GET", "/runs/r/cancel")).headers["allow"] == "OPTIONS, POST"
        assert (await world.ask(204, "OPTIONS", "/schedules/x")).headers[
            "allow"
        ] == "DELETE, GET, HEAD, OPTIONS, PUT"

    within(use)


def test_head_is_get_without_a_body() -> None:
    """The same status and headers, refusals too."""

    async def use(world: World) -> None:
        got = await world.ask(200, "GET", "/workflows")
        head = await world.ask(200, "HEAD", "/workflows")
        assert head.content == b"" and head.headers["content-length"] == got.headers["content-length"]
        await world.ask(404, "HEAD", "/runs/none")
        for path in ("/workflows", "/runs/none"):
            assert await _sent(world.app, "HEAD", path) == b""  # the transport would leave it out, too
            assert await _sent(world.app, "GET", path) != b""

    within(use)


async def _sent(app: Any, method: str, path: str) -> bytes:
    """What an application gives a server to send."""
    bodies: list[bytes] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        bodies.append(message.get("body", b""))

    scope = {"type": "http", "method": method, "path": path, "query_string": b"", "headers": []}
    await app(scope, receive, send)
    return b"".join(bodies)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "no JSON document"),
        (b"{", "no JSON document"),
        (b'{"workflow": "greet"} x', "trailing characters"),
        (b'{"workflow": "greet"}{}', "trailing characters"),
        (b'{"workflow": "greet", "workflow": "nap"}', "'workflow' twice"),
        (b'{"workflow": "greet", "input": {"name": "a", "name": "b"}}', "'name' twice"),
        (b"\xff\xfe", "no JSON document"),
        (b'{"workflow": "greet", "input": ["\xff"]}', "no JSON document"),
        (b'{"workflow": "greet", "input": ["\\ud800"]}', "no JSON document"),
        (b'{"workflow": "greet", "input": NaN}', "no JSON document"),
        (b'{"workflow": "greet", "input": [1e999]}', "out of range"),
        (b'{"workflow": "greet", "input": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested too deeply"),
        (b"[]", "Expected `object`"),
        (b"null", "Expected `object`"),
    ],
)
def test_a_body_that_is_no_start_is_refused(body: bytes, words: str) -> None:
    """Nothing of it is guessed, and nothing is passed over."""

    async def use(world: World) -> None:
        response = await world.client.post("/runs", content=body, headers=JSON)
        assert response.status_code == 400, response.text
        assert words in response.json()["detail"], response.text

    within(use)


def test_a_field_given_twice_is_found_soon() -> None:
    """Among many names as among few: nobody else is answered meanwhile."""

    async def use(world: World) -> None:
        names = b",".join(b'"%d": 0' % number for number in range(50_000))
        body = b'{"workflow": "greet", "input": {%b, "49999": 1}}' % names
        began = time.monotonic()
        response = await world.client.post("/runs", content=body, headers=JSON)
        assert response.status_code == 400 and "'49999' twice" in response.text
        assert time.monotonic() - began < 5

    within(use)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "application/jsonx"},
        {"Content-Type": "application/json", "Content-Encoding": "gzip"},
    ],
)
def test_a_body_that_does_not_say_that_it_is_json_is_refused(headers: dict[str, str]) -> None:
    """Also where a body may be left out."""

    async def use(world: World) -> None:
        for path in ("/runs", "/runs/r/cancel"):
            response = await world.client.post(path, content=b'{"workflow": "greet"}', headers=headers)
            assert response.status_code == 415, response.text

    within(use)


def test_parameters_of_the_type_do_not_matter() -> None:
    """`Application/JSON; charset=utf-8` is JSON."""

    async def use(world: World) -> None:
        headers = {"Content-Type": "Application/JSON; charset=utf-8"}
        body = b'{"workflow": "greet", "input": ["a"]}'
        assert (await world.client.post("/runs", content=body, headers=headers)).status_code == 202

    within(use)


def test_an_answer_is_in_a_form_that_is_accepted() -> None:
    """Else there is none, and nothing is done."""

    async def use(world: World) -> None:
        for accept in ("text/html", "image/*", "application/json;q=0", "*/*;q=0"):
            headers = {"Accept": accept}
            await world.get(406, "/runs", headers=headers)
            await world.post(406, "/runs", {"workflow": "greet", "input": ["a"]}, headers=headers)
        for accept in ("", "*/*", "application/*", "text/html, */*;q=0.1", "APPLICATION/json"):
            found = await world.client.get("/runs", headers={"Accept": accept} if accept else {})
            assert found.status_code == 200
            assert found.json()["runs"] == []

    within(use)


@pytest.mark.parametrize(
    ("header", "kind", "quality"),
    [
        ("text/*;q=0.3, text/html;q=0.7, */*;q=0.5", "text/html", 0.7),
        ("text/*;q=0.3, text/html;q=0.7, */*;q=0.5", "text/plain", 0.3),
        ("text/*;q=0.3, text/html;q=0.7, */*;q=0.5", "image/png", 0.5),
        ("text/html;level=1;q=0.4", "text/html", 0.4),
        ("text/html;q=x", "text/html", 0.0),
        ("text/html", "application/json", 0.0),
    ],
)
def test_accept_is_read_as_the_standard_says(header: str, kind: str, quality: float) -> None:
    """The most exact range counts: RFC 9110, 12.5.1."""
    assert accepts(header, kind) == quality


def test_the_server_says_how_it_is() -> None:
    """It is up, takes runs, and counts."""

    async def use(world: World) -> None:
        assert await world.get(200, "/healthz") == {"status": "ok"}
        assert await world.get(200, "/readyz") == {"status": "ok"}
        metrics = await world.ask(200, "GET", "/metrics", headers={"Accept": "*/*"})
        assert metrics.headers["content-type"].startswith("text/plain; version=0.0.4")
        assert "flopod_build_info" in metrics.text

    within(use)


def test_a_server_that_cannot_write_is_not_ready() -> None:
    """It is up all the same; so is one whose store does not answer."""

    class Full(MemoryBackend):
        trouble: Any = None

        def keep(self, kind: str, name: str, document: bytes) -> None:
            if self.trouble is not None:
                self.trouble()
            super().keep(kind, name, document)

    store = Full()

    def full() -> None:
        raise StorageFull("/secret/place")

    async def use(world: World) -> None:
        for trouble, words in ((full, "StorageFull"), (lambda: time.sleep(3), "not answered")):
            store.trouble = trouble
            problem = await world.get(503, "/readyz")
            assert problem["type"] == "/problems/not-ready" and words in problem["detail"]
            assert "/secret" not in str(problem)
            assert await world.get(200, "/healthz") == {"status": "ok"}
        store.trouble = None
        assert await world.get(200, "/readyz") == {"status": "ok"}

    within(use, store)


def test_a_server_whose_engine_has_ended_is_not_ready() -> None:
    """Whatever has ended it; and one that leaves says that it leaves."""

    async def use(world: World) -> None:
        serving = world.host.engine._serving
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
        assert "engine" in (await world.get(503, "/readyz"))["detail"]
        left.append(world.host)

    left: list[Any] = []
    within(use)
    assert "stops" in left[0].trouble()
