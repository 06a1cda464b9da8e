"""How much a request may be, and that its end is where everybody sees it."""

import asyncio
import json
import time
from typing import Any

import pytest

from flopod.server.guard import guarded
from flopod.server.guard.limits import is_deeper
from flopod.server.settings import Settings
from tests.server.guard.asking import App, ask, post_json

SMALL = Settings(max_body=1000, max_bodies=1500, max_depth=5, max_headers=10, max_head=2000, max_query=100)
JSON = ("content-type", "application/json")


def test_a_body_is_handed_on_whole() -> None:
    """Whatever pieces it came in."""
    answer = ask(SMALL, "POST", headers=[JSON], body=[b'{"a', b'":', b"1}"])
    assert (answer.status, answer.body) == (200, b'{"a":1}')


def test_a_long_body_is_refused_before_it_is_read() -> None:
    """By its announced length, or when it has become too long."""
    app = App()
    announced = ask(SMALL, "POST", headers=[JSON, ("content-length", "1001")], body=[60.0], app=app)
    grown = ask(SMALL, "POST", headers=[JSON], body=[b"x" * 600, b"x" * 600, 60.0, b"x"], app=app)
    absurd = ask(SMALL, "POST", headers=[JSON, ("content-length", "9" * 5000)], app=app)
    for answer in (announced, grown):
        assert (answer.status, answer.slug, answer.headers["connection"]) == (413, "body-too-large", "close")
    assert (absurd.status, app.reached) == (431, [])
    assert ask(SMALL, "POST", headers=[JSON], body=[b"1" * 1000]).status == 200


def test_who_shows_no_token_sends_less() -> None:
    """Where a token is asked for, and where none is, as for the way in and for links."""
    settings = Settings(token="t0ken-of-sixteen-and-more", max_open_body=100)
    form = ("content-type", "application/x-www-form-urlencoded")
    own, shown = ("origin", "http://localhost:8080"), ("authorization", f"Bearer {settings.token}")
    for path in ("/ui/login", "/deliver/x"):
        for more in ((), [("content-length", "101")]):
            answer = ask(settings, "POST", path, headers=[form, own, *more], body=[b"x" * 101])
            assert (answer.status, answer.slug) == (413, "body-too-large")
        assert ask(settings, "POST", path, headers=[form, own], body=[b"x" * 100]).status == 200
    assert ask(settings, "POST", headers=[JSON, shown], body=[b"1" * 101]).status == 200


def test_a_slow_body_is_given_up() -> None:
    """No piece puts the deadline off."""
    slow = Settings(body_seconds=0.2)
    began = time.monotonic()
    answer = ask(slow, "POST", headers=[JSON], body=[b"1", 0.15, b"1", 0.15, b"1", 0.15, b"1"])
    assert (answer.status, answer.slug) == (408, "too-slow")
    assert time.monotonic() - began < 2


def test_all_bodies_together_are_bounded() -> None:
    """What is answered, refused or given up makes room again."""
    settings = Settings(max_body=1000, max_bodies=1500, max_depth=5, body_seconds=0.05)
    guard = guarded(App(), settings)
    for _ in range(5):
        assert post_json(settings, b"1" * 900, guard=guard).status == 200
        assert post_json(settings, b"[" * 900, guard=guard).status == 400
        assert ask(settings, "POST", headers=[JSON], body=[b"1" * 900, 1.0], guard=guard).status == 408
    assert post_json(Settings(max_bodies=10), b"1" * 11).status == 503


@pytest.mark.parametrize("text", [b"[[[[[[1]]]]]]", b'{"a":{"a":{"a":[{"a":{}}]}}}', b"[" * 900])
def test_a_deep_body_is_refused(text: bytes) -> None:
    """Before anything is made of it."""
    assert (post_json(SMALL, text).status, post_json(SMALL, text).slug) == (400, "body-too-deep")


def test_brackets_in_texts_do_not_count() -> None:
    """Nor do those side by side."""
    wide = json.dumps([[1]] * 100 + ["[[[[[[[[[[", '"[[[[[[[\\', "{" * 20]).encode()
    assert not is_deeper(wide, 5)
    assert is_deeper(b'["\\"", [[[[[[' + wide, 5)
    assert not is_deeper(b'"' + b'\\"[' * 100, 5)


def test_depth_is_found_in_the_time_of_a_read() -> None:
    """For the worst texts that fit in a body too: a million brackets, quotes that never end."""
    began = time.perf_counter()
    for text in (
        b"[]" * 500_000,
        b"[" * 1_000_000,
        b'"\\' * 500_000,
        b'"' * 1_000_000 + b"[" * 99,
        b'["' * 500_000,
    ):
        is_deeper(text, 64)
    assert time.perf_counter() - began < 3


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ([("x-a", "1")] * 9, 200),
        ([("x-a", "1")] * 10, 431),
        ([("x-a", "1" * 2000)], 431),
        ([("content-length", "2"), ("transfer-encoding", "chunked"), JSON], 400),
        ([("content-length", "2"), ("content-length", "3"), JSON], 400),
        ([("content-length", "-2"), JSON], 400),
        ([("content-length", "+2"), JSON], 400),
        ([("content-length", "2, 2"), JSON], 400),
        ([("transfer-encoding", "gzip, chunked"), JSON], 400),
        ([("transfer-encoding", "chunked"), ("transfer-encoding", "identity"), JSON], 400),
    ],
)
def test_a_head_is_small_and_says_one_length(headers: list[tuple[str, str]], status: int) -> None:
    """Two lengths are how a request is smuggled past whoever reads the other one."""
    assert ask(SMALL, "POST" if JSON in headers else "GET", headers=headers).status == status


def test_query_and_target_are_bounded() -> None:
    """A target is a path."""
    assert ask(SMALL, query=b"q=" + b"x" * 99).status == 414
    for path in ("http://localhost/runs", "*", "/" + "x" * 200):
        assert ask(SMALL, path=path).status == 400


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("application/json", 200),
        ("Application/JSON; charset=UTF-8", 200),
        ("application/merge-patch+json", 200),
        ("application/json; charset=latin-1", 415),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("multipart/form-data; boundary=x", 415),
        ("", 415),
    ],
)
def test_what_a_foreign_page_can_send_is_no_json(kind: str, status: int) -> None:
    """Forms and plain texts cross origins without being asked about."""
    answer = ask(Settings(), "POST", headers=[("content-type", kind)], body=[b"{}"])
    assert answer.status == status


def test_forms_come_from_our_own_pages() -> None:
    """Where there is no JavaScript they are all there is."""
    form = ("content-type", "application/x-www-form-urlencoded")
    own = ("origin", "http://localhost:8080")
    assert ask(Settings(), "POST", headers=[form, own], body=[b"a=1"]).status == 200


def test_streams_are_bounded() -> None:
    """One that has ended makes room; other requests are none."""
    settings = Settings(max_streams=1)
    stream = [("accept", "text/event-stream")]
    inner: list[int] = []

    async def nested(scope: Any, receive: Any, send: Any) -> None:
        if not inner:
            inner.append(0)
            inner[0] = await asyncio.to_thread(lambda: ask(settings, headers=stream, guard=guard).status)
        await App()(scope, receive, send)

    guard = guarded(nested, settings)
    assert ask(settings, headers=stream, guard=guard).status == 200
    assert inner == [503]
    assert ask(settings, headers=stream, guard=guard).status == 200
    none = Settings(max_streams=0)
    assert ask(none, headers=stream).status == 503
    assert ask(none, path="/runs/r/events", headers=[("accept", "text/*")]).status == 503
    assert ask(none, path="/events", headers=[("accept", "*/*")]).status == 503
    assert ask(none).status == 200


def test_a_body_of_very_many_small_values_is_refused() -> None:
    """It would take seconds to read, with everybody waiting; commas in a text are no values."""
    settings = Settings(max_body=1000, max_values=20)
    many = b'{"input": [' + b"1," * 30 + b"1]}"
    refused = ask(settings, "POST", body=[many], headers=[JSON])
    assert refused.status == 413
    text = b'{"input": "' + b"1,[" * 30 + b'"}'
    assert ask(settings, "POST", body=[text], headers=[JSON]).status == 200
