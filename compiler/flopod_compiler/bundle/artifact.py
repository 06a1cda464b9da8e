"""The kinds of files that a compilation is linked into: what each starts, and what that needs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Artifact:
    """A kind of linked file: its template, the runtime module that its main() starts, and what it is called.

    `requires` are the distributions that this module needs, `may_use` those that it uses where they are
    installed. A file that is `inspected` carries the whole manifest, and the pages of the dashboard.
    """

    what: str
    template: str
    entry: str
    requires: tuple[str, ...] = ("msgspec",)
    may_use: tuple[str, ...] = ()
    inspected: bool = False


JOB = Artifact("bundle", "bundle.py.jinja", "flopod.engine.job")
SERVER = Artifact(
    "server",
    "server.py.jinja",
    "flopod.server.main",
    requires=("cronsim", "jinja2", "msgspec", "starlette", "uvicorn"),
    may_use=("psycopg", "psycopg-binary", "cryptography"),
    inspected=True,
)
