"""The token, the session in its place, and what is open to everybody."""

import pytest

from flopod.backends.base import now_ms
from flopod.server.sessions import COOKIE, LASTS, is_valid, local_path, log_in, log_out, new_session
from flopod.server.settings import Settings
from tests.server.guard.asking import SECRET, TOKEN, App, ask

LOCKED = Settings(token=TOKEN, secret=SECRET)
OWN = ("origin", "http://localhost:8080")


def cookie(value: str) -> tuple[str, str]:
    return "cookie", f"theme=dark; {COOKIE}={value}"


def test_the_token_lets_in() -> None:
    """The scheme in any case."""
    assert ask(LOCKED, headers=[("authorization", f"Bearer {TOKEN}")]).status == 200
    assert ask(LOCKED, headers=[("authorization", f"bearer {TOKEN}")]).status == 200


@pytest.mark.parametrize(
    "given",
    ["", "Bearer", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", f"Basic {TOKEN}", TOKEN, "Bearer \xff\xfe"],
)
def test_anything_else_does_not(given: str) -> None:
    """And says how to come in, without saying what was wrong with the token."""
    app = App()
    for path in ("/runs", "/", "/metrics", "/openapi.json", "/ui/static", "/ui/static/../runs", "/ui/loginx"):
        answer = ask(LOCKED, path=path, headers=[("authorization", given)], app=app)
        assert (answer.status, answer.headers["www-authenticate"], app.reached) == (
            401,
            'Bearer realm="flopod"',
            [],
        )
    assert TOKEN not in answer.body.decode()
    assert ask(LOCKED, headers=[("authorization", f"Bearer {TOKEN}")] * 2).status == 401


def test_a_token_in_the_url_is_none() -> None:
    """There it would be in logs and histories."""
    assert ask(LOCKED, query=f"token={TOKEN}&access_token={TOKEN}".encode()).status == 401


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/ui/login", "/ui/static/app.css", "/deliver/abc"])
def test_some_paths_are_open(path: str) -> None:
    """Health, the way in, and links that are signed."""
    assert ask(LOCKED, path=path).status == 200


def test_a_browser_is_shown_the_way_in() -> None:
    """It comes back to where it wanted to go."""
    answer = ask(LOCKED, path="/ui/runs/a", query=b"tab=log", headers=[("accept", "text/html,*/*")])
    assert (answer.status, answer.headers["location"]) == (303, "/ui/login?next=%2Fui%2Fruns%2Fa%3Ftab%3Dlog")
    alone = Settings(token=TOKEN, secret=SECRET, dashboard=False)
    assert ask(alone, path="/ui/runs/a", headers=[("accept", "text/html")]).status == 401
    assert ask(LOCKED, path="/runs", headers=[("accept", "text/html")]).status == 401


def test_a_session_reads_and_writes_from_our_own_pages_only() -> None:
    """A browser sends the cookie along with whatever page."""
    value = new_session(LOCKED.session_key, now_ms())
    assert ask(LOCKED, headers=[cookie(value)]).status == 200
    assert ask(LOCKED, "POST", headers=[cookie(value), OWN]).status == 200
    assert ask(LOCKED, "POST", headers=[cookie(value)]).status == 403
    assert ask(LOCKED, "DELETE", headers=[cookie(value), ("sec-fetch-site", "none")]).status == 403
    assert ask(LOCKED, "POST", headers=[cookie(value), ("origin", "https://evil.example")]).status == 403


def test_a_session_ends() -> None:
    """By time, by another token, by another secret, and when a letter of it is changed."""
    key, now = LOCKED.session_key, now_ms()
    value = new_session(key, now)
    changed = value[:-1] + ("A" if value[-1] != "A" else "B")
    assert is_valid(key, value, now + LASTS - 1)
    assert not is_valid(key, value, now + LASTS)
    assert not is_valid(Settings(token=TOKEN + "2", secret=SECRET).session_key, value, now)
    assert not is_valid(Settings(token=TOKEN, secret=b"other").session_key, value, now)
    assert ask(LOCKED, headers=[cookie(changed)]).status == 401
    assert ask(LOCKED, headers=[cookie("x" * 10_000)]).status == 401


def test_logging_in_gives_a_cookie_without_the_token() -> None:
    """That scripts cannot read, and other sites do not send."""
    given = log_in(LOCKED, TOKEN, secure=True) or ""
    assert given.startswith(COOKIE + "=")
    assert {"HttpOnly", "SameSite=Strict", "Secure", "Path=/"} <= set(given.split("; "))
    assert TOKEN not in given
    assert log_in(LOCKED, TOKEN + "x", secure=False) is None
    assert log_in(LOCKED, "\xff", secure=False) is None
    assert log_in(Settings(), "", secure=False) is None
    assert "Max-Age=0" in log_out(secure=False)


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ("/ui/runs/a?x=1", "/ui/runs/a?x=1"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example", "/"),
        ("/\t/evil.example", "/"),
        ("", "/"),
    ],
)
def test_one_goes_on_at_this_server(given: str, path: str) -> None:
    """After logging in, nobody is sent elsewhere."""
    assert local_path(given) == path
