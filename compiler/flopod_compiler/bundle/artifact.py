"""The kinds of files that a compilation is linked into: what each starts, and what that needs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Artifact:
    """A kind of linked file: what it is called, its template, that of its image, what its main() starts.

    `requires` are the distributions that this module needs, `may_use` those that it uses where they are
    installed. A file that is `inspected` carries the whole manifest, and the pages of the dashboard.
    """

    what: str
    template: str
    image: str
    entry: str
    requires: tuple[str, ...] = ("msgspec",)
    may_use: tuple[str, ...] = ()
    inspected: bool = False


JOB = Artifact("bundle", "bundle.py.jinja", "Dockerfile.jinja", "flopod.engine.job")
SERVER = Artifact(
    "server",
    "server.py.jinja",
    "Dockerfile.server.jinja",
    "flopod.server.main",
    requires=("cronsim", "jinja2", "msgspec", "starlette", "uvicorn"),
    may_use=("psycopg", "psycopg-binary", "cryptography"),
    inspected=True,
)
