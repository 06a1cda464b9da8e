"""What every response says to browsers."""

from typing import Any

import pytest

from flopod.server.settings import Settings
from tests.server.guard.asking import App, ask


@pytest.mark.parametrize("host", ["localhost", "evil.example"])
def test_every_response_is_locked_down(host: str) -> None:
    """A refusal too; what software serves it is nobody's business."""
    headers = ask(Settings(), host=host).headers
    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["form-action"] == "'self'"
    assert (headers["x-content-type-options"], headers["x-frame-options"]) == ("nosniff", "DENY")
    assert (headers["cache-control"], headers["referrer-policy"]) == ("no-store", "same-origin")
    assert headers["cross-origin-opener-policy"] == headers["cross-origin-resource-policy"] == "same-origin"
    assert "server" not in headers


def test_what_may_be_kept_says_so_itself() -> None:
    """A static file with its digest in the name."""

    async def static(_scope: Any, _receive: Any, send: Any) -> None:
        message = {
            "type": "http.response.start",
            "status": 200,
            "headers": [(b"cache-control", b"max-age=9")],
        }
        await send(message)
        await send({"type": "http.response.body", "body": b""})

    assert ask(Settings(), app=static).headers["cache-control"] == "max-age=9"


def test_a_mistake_of_the_server_tells_nothing_of_it() -> None:
    """But under which id its log has it."""

    async def broken(_scope: Any, _receive: Any, _send: Any) -> None:
        raise ValueError("secret internals")

    answer = ask(Settings(), app=broken, headers=[("x-request-id", "abc-1")])
    assert (answer.status, answer.slug) == (500, "internal")
    assert "secret" not in answer.body.decode()
    assert "abc-1" in answer.body.decode()
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("given", "kept"), [("abc-1", True), ("a\nb", False), ("x" * 65, False), ("a b", False)]
)
def test_a_request_id_is_taken_over_if_it_is_one(given: str, kept: bool) -> None:
    """It ends in the log."""
    assert (
        ask(Settings(), headers=[("x-request-id", given)], app=App()).headers["x-request-id"] == given
    ) == kept
