"""The Host header, checked before anything else is."""

import pytest

from flopod.server.settings import Settings
from tests.server.guard.asking import App, ask

LOCAL = Settings()
NAMED = Settings(allowed_hosts=("flopod.example.com", "other.example.com:9000"))


@pytest.mark.parametrize("host", ["localhost", "localhost:8080", "127.0.0.1:1", "[::1]:8080", "LOCALHOST:80"])
def test_loopback_is_always_let_in(host: str) -> None:
    """By any port: one may be forwarded."""
    assert ask(LOCAL, host=host).status == 200


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
def test_a_name_that_was_turned_to_this_machine_reaches_nothing(method: str) -> None:
    """Not by any method, and not a path that is open to everybody."""
    app = App()
    for path in ("/runs", "/healthz", "/ui/static/x.js", "/nothing"):
        answer = ask(LOCAL, method, path, host="evil.example:8080", app=app)
        assert (answer.status, app.reached) == (421, [])
    assert "--allow-host evil.example" in answer.body.decode()


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("flopod.example.com", 200),
        ("flopod.example.com:443", 200),
        ("flopod.example.com.", 200),
        ("other.example.com:9000", 200),
        ("other.example.com", 421),
        ("other.example.com:9001", 421),
        ("x.flopod.example.com", 421),
        ("flopod.example.com.evil.example", 421),
    ],
)
def test_allowed_names_are_let_in(host: str, status: int) -> None:
    """With a port where one is said."""
    assert ask(NAMED, host=host).status == status


@pytest.mark.parametrize(
    "host", ["", "a b", "localhost:x", "localhost:99999", "local/host", "u@localhost", "é"]
)
def test_what_is_no_host_is_refused(host: str) -> None:
    """As a bad request."""
    assert ask(LOCAL, host=host).status == 400


def test_exactly_one_host_is_wanted() -> None:
    """Two readers could take different ones of two."""
    assert ask(LOCAL, host=None).status == 400
    assert ask(LOCAL, headers=[("host", "localhost")]).status == 400


def test_addresses_in_figures_are_let_in_where_all_are_bound() -> None:
    """A page turns names to addresses, and never is at one of ours itself."""
    wide = Settings(host="0.0.0.0", token="t" * 16)
    assert ask(wide, path="/healthz", host="192.168.1.7:8080").status == 200
    assert ask(wide, path="/healthz", host="[fd00::1]:8080").status == 200
    assert ask(wide, path="/healthz", host="flopod.example.com").status == 421
    assert ask(LOCAL, path="/healthz", host="192.168.1.7:8080").status == 421


def test_the_public_url_is_a_name_of_the_server() -> None:
    """Nobody has to say it twice."""
    assert ask(Settings(public_url="https://f.example.com"), host="f.example.com").status == 200
