"""The settings of a server: options, environment and defaults to one checked value."""

import argparse
import ipaddress
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, TypeAlias
from urllib.parse import SplitResult, urlsplit

from msgspec import Struct

from flopod.errors import BadInput
from flopod.server.signing import SHORTEST, key_for

LogFormat: TypeAlias = Literal["text", "json"]

_TOKEN = re.compile(r"[\x21-\x7e]+")
_HOST = re.compile(r"([a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?|\[[0-9a-f:.]+\])(?::(\d{1,5}))?", re.ASCII)
_WILDCARDS = ("0.0.0.0", "::", "")
_LARGEST_BODY = 1 << 30

ENVIRONMENT = """\
  FLOPOD_HOST, FLOPOD_PORT     the address, where --host and --port do not say it
  FLOPOD_TOKEN                 the token that clients send as `Authorization: Bearer TOKEN`
  FLOPOD_TOKEN_FILE            a file that holds it, where --token-file does not say it
  FLOPOD_SECRET                signs links and sessions, else a secret kept in the store
  FLOPOD_WEBHOOK_SECRET        signs webhooks: one or several whsec_..., else one made of the secret
"""
"""What a server reads of the environment, for the help."""


class Settings(Struct, frozen=True, kw_only=True):
    """How a server is reached, what it lets in, and how much of it.

    Sizes are bytes, times seconds. Without a `token` there is no authentication. `secret` is that of the
    store, put in when the store is open. `allowed_hosts` are names beside loopback and `host`, with a port
    or for all ports. `max_open_body` is for addresses that need no token,
    `max_unread` for what all clients together have not read of their answers.
    """

    host: str = "127.0.0.1"
    port: int = 8080
    backend: str | None = None
    token: str | None = None
    secret: bytes = b""
    webhook_secrets: Sequence[str] = ()
    allowed_hosts: Sequence[str] = ()
    allowed_origins: Sequence[str] = ()
    public_url: str = ""
    dashboard: bool = True
    log_format: LogFormat = "text"
    concurrency: int = 256
    webhook_private: bool = False
    max_body: int = 8 << 20
    max_bodies: int = 256 << 20
    max_open_body: int = 256 << 10
    max_unread: int = 256 << 20
    max_depth: int = 64
    max_values: int = 250_000
    max_head: int = 32 << 10
    max_headers: int = 100
    max_query: int = 8 << 10
    max_connections: int = 4096
    max_streams: int = 2048
    header_seconds: float = 10.0
    body_seconds: float = 30.0
    idle_seconds: float = 30.0
    write_seconds: float = 60.0
    shutdown_seconds: float = 10.0

    def __repr__(self) -> str:
        return f"Settings(host={self.host!r}, port={self.port}, token={'***' if self.token else None})"

    @property
    def session_key(self) -> bytes:
        """The key of sessions: with another token or another secret, all of them are over."""
        return key_for(self.secret, f"session {self.token}")

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine reaches the server."""
        return is_loopback(self.host)

    @classmethod
    def read(cls, argv: Sequence[str], environ: Mapping[str, str], program: str = "server.py") -> "Settings":
        """Read options and environment. Ends the process for `--help` and wrong usage. Raises BadInput."""
        return settings_of(parser(program).parse_args(list(argv)), environ)


def is_loopback(host: str) -> bool:
    """Whether a host is this machine's own address."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_wildcard(host: str) -> bool:
    """Whether a host stands for every address of this machine."""
    return host in _WILDCARDS


def parser(program: str) -> argparse.ArgumentParser:
    """Return a parser with the options of a server; others can be added to it."""
    made = argparse.ArgumentParser(
        prog=program,
        epilog="environment:\n" + ENVIRONMENT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add_options(made)
    return made


def add_options(to: argparse.ArgumentParser) -> None:
    """Add the options of a server. What is left out is None, so that the environment can say it."""
    option = to.add_argument
    option("--host", metavar="HOST", help="the address to listen at (default: 127.0.0.1)")
    option("--port", metavar="PORT", help="the port, 0 for any that is free (default: 8080)")
    option("--backend", metavar="BACKEND", help="where runs are kept: sqlite (default), file, memory, ...")
    option("--token-file", metavar="FILE", help="a file that holds the token clients have to send")
    option("--public-url", metavar="URL", help="the address under which people reach it, for links")
    option("--allow-host", metavar="HOST", action="append", help="a name it is reached by (repeatable)")
    option(
        "--allow-origin", metavar="ORIGIN", action="append", help="a web page that may call it (repeatable)"
    )
    option("--max-body", metavar="BYTES", help="how long a request may be (default: 8388608)")
    option("--concurrency", metavar="N", help="how many runs are worked on at once (default: 256)")
    option("--log-format", choices=("text", "json"), default="text", help="how it writes its log")
    option("--webhook-private", action="store_true", help="let webhooks go to private addresses")
    option("--no-dashboard", action="store_true", help="serve the API alone")


def settings_of(found: argparse.Namespace, environ: Mapping[str, str]) -> Settings:
    """Return the settings that a command line and an environment ask for. Raises BadInput."""
    host = _first(found.host, environ.get("FLOPOD_HOST"), "127.0.0.1").strip("[]")
    token = _token(found.token_file, environ)
    _check_open(host, token)
    return Settings(
        host=host,
        port=_number(*_either(found.port, "--port", environ, "FLOPOD_PORT", "8080"), 0, 65535),
        backend=found.backend,
        token=token,
        webhook_secrets=tuple(environ.get("FLOPOD_WEBHOOK_SECRET", "").split()),
        allowed_hosts=tuple(_host(each) for each in found.allow_host or ()),
        allowed_origins=tuple(_origin(each, "--allow-origin") for each in found.allow_origin or ()),
        public_url=_public(found.public_url),
        dashboard=not found.no_dashboard,
        log_format=found.log_format,
        concurrency=_number(found.concurrency or "256", "--concurrency", 1, 1 << 20),
        webhook_private=found.webhook_private,
        max_body=_number(found.max_body or str(8 << 20), "--max-body", 1024, _LARGEST_BODY),
    )


def _first(*given: str | None) -> str:
    return next((each for each in given if each), "")


def _either(
    given: str | None, option: str, environ: Mapping[str, str], name: str, default: str
) -> tuple[str, str]:
    """What an option or else a variable says, and which of them did."""
    if given is not None:
        return given, option
    return (environ[name], name) if environ.get(name) else (default, option)


def _number(text: str, source: str, least: int, most: int) -> int:
    if not (text.isascii() and text.isdigit()) or not least <= int(text) <= most:
        raise BadInput(f"{source} is {text!r}; give a number from {least} to {most}", field=source)
    return int(text)


def _token(file: str | None, environ: Mapping[str, str]) -> str | None:
    source = "--token-file" if file else "FLOPOD_TOKEN_FILE"
    file = file or environ.get("FLOPOD_TOKEN_FILE")
    given = environ.get("FLOPOD_TOKEN")
    if file and given and source == "FLOPOD_TOKEN_FILE":
        raise BadInput("FLOPOD_TOKEN and FLOPOD_TOKEN_FILE are both set; keep one of them", field=source)
    if file:
        return _checked_token(_contents(file, source), f"the token in {source} {file}")
    return _checked_token(given, "FLOPOD_TOKEN") if given is not None else None


def _contents(file: str, source: str) -> str:
    try:
        return Path(file).read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not text"
        raise BadInput(f"{source}: {file} cannot be read: {why}", field=source) from None


def _checked_token(token: str, source: str) -> str:
    # Nothing of the token is shown: this text ends in terminals and logs.
    if len(token) < SHORTEST:
        raise BadInput(
            f"{source} has {len(token)} characters; give it {SHORTEST} or more, such as "
            "$(python3 -c 'import secrets; print(secrets.token_urlsafe(32))')",
            field="token",
        )
    if not _TOKEN.fullmatch(token):
        raise BadInput(f"{source} has a space or a character outside of ASCII; use others", field="token")
    return token


def _check_open(host: str, token: str | None) -> None:
    if token is None and not is_loopback(host):
        raise BadInput(
            f"--host {host or '(all addresses)'} can be reached by others, and there is no token; set "
            f"FLOPOD_TOKEN ({SHORTEST} characters or more) or --token-file FILE, or listen at 127.0.0.1",
            field="--host",
        )


def _host(given: str) -> str:
    found = _HOST.fullmatch(given.lower())
    if found is None or int(found[2] or 1) > 65535:
        raise BadInput(
            f"--allow-host is {given!r}; give a name, or a name with a port: flopod.example.com",
            field="--allow-host",
        )
    return given.lower()


def _origin(given: str, source: str) -> str:
    parts = _split(given, source)
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise BadInput(
            f"{source} is {given!r}; give scheme and host alone: https://example.com", field=source
        )
    return f"{parts.scheme}://{parts.netloc.lower()}"


def _public(given: str | None) -> str:
    if not given:
        return ""
    parts = _split(given, "--public-url")
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise BadInput(
            f"--public-url is {given!r}; the server is at the root of its host: https://flopod.example.com",
            field="--public-url",
        )
    return f"{parts.scheme}://{parts.netloc.lower()}"


def _split(given: str, source: str) -> SplitResult:
    try:
        parts = urlsplit(given)
        if parts.scheme in ("http", "https") and _HOST.fullmatch(parts.netloc.lower()) and parts.port != 0:
            return parts
    except ValueError:
        pass
    raise BadInput(f"{source} is {given!r}; write it like https://flopod.example.com", field=source)
