"""Pages of other origins: they neither read nor write, unless they are allowed."""

import pytest

from flopod.server.settings import Settings
from tests.server.guard.asking import App, ask, post_json

LOCAL = Settings()
OPEN = Settings(allowed_origins=("https://app.example.com",))
FRIEND = ("origin", "https://app.example.com")


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "OPTIONS"])
@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "null", "http://localhost:3000", "http://localhost", "http://127.0.0.1:8080"],
)
def test_a_foreign_origin_reaches_nothing(method: str, origin: str) -> None:
    """Another port of this machine is another origin, and another name of it too."""
    app = App()
    answer = ask(LOCAL, method, headers=[("origin", origin)], app=app)
    assert (answer.status, answer.slug, app.reached) == (403, "foreign-origin", [])
    assert not any(name.startswith("access-control") for name in answer.headers)


def test_a_page_of_the_server_may_write() -> None:
    """By whatever name the server is called, behind a proxy that speaks TLS too."""
    assert post_json(LOCAL, b"{}", ("origin", "http://localhost:8080")).status == 200
    behind = Settings(allowed_hosts=("f.example.com",))
    assert post_json(behind, b"{}", ("origin", "https://f.example.com"), host="f.example.com").status == 200
    assert (
        post_json(behind, b"{}", ("origin", "https://f.example.com"), host="f.example.com:443").status == 200
    )
    assert post_json(behind, b"{}", ("origin", "https://f.example.com:8"), host="f.example.com").status == 403


@pytest.mark.parametrize(
    ("method", "site", "mode", "status"),
    [
        ("POST", "cross-site", "no-cors", 403),
        ("POST", "same-site", "navigate", 403),
        ("POST", "cross-site", "navigate", 403),
        ("POST", "same-origin", "cors", 200),
        ("GET", "cross-site", "no-cors", 403),
        ("GET", "same-site", "no-cors", 403),
        ("GET", "cross-site", "navigate", 200),
        ("GET", "none", "navigate", 200),
        ("GET", "same-origin", "cors", 200),
    ],
)
def test_what_browsers_say_beside_the_origin_counts(method: str, site: str, mode: str, status: int) -> None:
    """A link from elsewhere may be followed; an image or a form from elsewhere gets nothing."""
    said = [("sec-fetch-site", site), ("sec-fetch-mode", mode)]
    body = [b"{}"] if method == "POST" else []
    answer = ask(LOCAL, method, headers=[*said, ("content-type", "application/json")], body=body)
    assert answer.status == status


def test_an_allowed_origin_reads_and_asks_before_it_writes() -> None:
    """Its preflight needs no token, which browsers do not send with it."""
    settings = Settings(allowed_origins=OPEN.allowed_origins, token="t" * 20)
    preflight = [FRIEND, ("access-control-request-method", "POST")]
    answer = ask(settings, "OPTIONS", headers=preflight)
    assert (answer.status, answer.headers["access-control-allow-origin"]) == (204, FRIEND[1])
    assert "authorization" in answer.headers["access-control-allow-headers"]
    read = ask(settings, headers=[FRIEND, ("authorization", "Bearer " + "t" * 20)])
    assert (read.status, read.headers["access-control-allow-origin"]) == (200, FRIEND[1])
    assert "access-control-allow-credentials" not in read.headers


def test_others_learn_nothing_of_what_is_allowed() -> None:
    """Caches keep the answers apart."""
    answer = ask(OPEN)
    assert (answer.headers["vary"], "access-control-allow-origin" in answer.headers) == ("Origin", False)
    assert ask(OPEN, headers=[("origin", "https://evil.example")]).status == 403
    assert ask(LOCAL, headers=[FRIEND, FRIEND]).status == 400
