"""Options and environment to settings, and what of them is refused with what to do."""

from pathlib import Path

import pytest

from flopod.errors import BadInput
from flopod.server.settings import Settings
from tests.server.guard.asking import TOKEN


def read(*argv: str, **environ: str) -> Settings:
    return Settings.read(argv, environ)


def test_by_itself_a_server_is_for_this_machine() -> None:
    """Without a token, which nobody else needs."""
    settings = read()
    assert (settings.host, settings.port, settings.token, settings.is_loopback) == (
        "127.0.0.1",
        8080,
        None,
        True,
    )
    assert (settings.dashboard, settings.webhook_private, settings.log_format) == (True, False, "text")


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "::", "10.0.0.1", "flopod.example.com", "localhost.evil.example"]
)
def test_others_need_a_token(host: str) -> None:
    """The refusal says how to give one, and is one of usage."""
    with pytest.raises(BadInput, match="set FLOPOD_TOKEN") as caught:
        read("--host", host)
    assert caught.value.exit_code == 2
    with pytest.raises(BadInput, match="set FLOPOD_TOKEN"):
        read(FLOPOD_HOST=host)
    assert read("--host", host, FLOPOD_TOKEN=TOKEN).token == TOKEN


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "localhost", "::1", "[::1]"])
def test_loopback_needs_none(host: str) -> None:
    """By each of its names."""
    assert read("--host", host).token is None


def test_a_token_is_read_from_a_file(tmp_path: Path) -> None:
    """Whose last line may end; the option goes before the environment."""
    file, other = tmp_path / "token", tmp_path / "other"
    file.write_text(TOKEN + "\n")
    other.write_text("x" * 16)
    assert read("--token-file", str(file)).token == TOKEN
    assert read(FLOPOD_TOKEN_FILE=str(file)).token == TOKEN
    assert read("--token-file", str(file), FLOPOD_TOKEN="x" * 20, FLOPOD_TOKEN_FILE=str(other)).token == TOKEN


@pytest.mark.parametrize(
    "token", ["", "short", "x" * 15, "with space in the middle", "tökentökentökentöken", "x" * 16 + "\n"]
)
def test_a_bad_token_is_refused_and_not_shown(token: str) -> None:
    """An empty one too: whoever sets it wants one."""
    with pytest.raises(BadInput) as caught:
        read(FLOPOD_TOKEN=token)
    assert not token.strip() or token.strip() not in str(caught.value)


def test_two_tokens_are_one_too_many(tmp_path: Path) -> None:
    """Nobody could tell which is meant. A file that is not there is named."""
    with pytest.raises(BadInput, match="keep one"):
        read(FLOPOD_TOKEN=TOKEN, FLOPOD_TOKEN_FILE=str(tmp_path / "t"))
    with pytest.raises(BadInput, match="nothing-here cannot be read"):
        read("--token-file", str(tmp_path / "nothing-here"))


@pytest.mark.parametrize(
    ("argv", "environ", "names"),
    [
        (["--port", "70000"], {}, "--port"),
        (["--port", "x"], {}, "--port"),
        ([], {"FLOPOD_PORT": "-1"}, "FLOPOD_PORT"),
        (["--max-body", "1"], {}, "--max-body"),
        (["--concurrency", "0"], {}, "--concurrency"),
        (["--allow-host", "https://x.example"], {}, "--allow-host"),
        (["--allow-host", "x:99999"], {}, "--allow-host"),
        (["--allow-origin", "*"], {}, "--allow-origin"),
        (["--allow-origin", "x.example"], {}, "--allow-origin"),
        (["--allow-origin", "https://x.example/path"], {}, "--allow-origin"),
        (["--public-url", "https://u:p@x.example"], {}, "--public-url"),
        (["--public-url", "https://x.example/flopod"], {}, "--public-url"),
    ],
)
def test_what_makes_no_sense_is_named(argv: list[str], environ: dict[str, str], names: str) -> None:
    """By its option or its variable."""
    with pytest.raises(BadInput, match=f"{names} is"):
        Settings.read(argv, environ)


def test_options_are_read() -> None:
    """Each to its setting; an option goes before a variable."""
    settings = read(
        *("--port", "0", "--host", "localhost", "--backend", "file", "--no-dashboard", "--webhook-private"),
        *("--allow-host", "A.example", "--allow-host", "b.example:1", "--allow-origin", "https://C.example/"),
        *(
            "--public-url",
            "https://D.example/",
            "--max-body",
            "2048",
            "--log-format",
            "json",
            "--concurrency",
            "7",
        ),
        FLOPOD_PORT="99",
        FLOPOD_HOST="::1",
    )
    assert (settings.port, settings.host, settings.backend, settings.dashboard) == (
        0,
        "localhost",
        "file",
        False,
    )
    assert settings.allowed_hosts == ("a.example", "b.example:1")
    assert (settings.allowed_origins, settings.public_url) == (("https://c.example",), "https://d.example")
    assert (settings.max_body, settings.log_format, settings.concurrency) == (2048, "json", 7)
    assert settings.webhook_private
    assert read(FLOPOD_PORT="99").port == 99


@pytest.mark.parametrize("argv", [["--token", TOKEN], ["--port"], ["--log-format", "xml"], ["--hos", "::1"]])
def test_wrong_usage_ends_with_status_2(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """There is no option for the token itself, which others would see in the list of processes."""
    with pytest.raises(SystemExit) as caught:
        Settings.read(argv, {})
    assert caught.value.code == 2
    assert "usage:" in capsys.readouterr().err


def test_settings_show_no_secret() -> None:
    """Wherever they are printed."""
    assert TOKEN not in repr(Settings(token=TOKEN, secret=b"secret-secret"))
    assert "secret-secret" not in repr(Settings(token=TOKEN, secret=b"secret-secret"))
