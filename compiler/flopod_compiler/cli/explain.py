"""`flopod explain`: the page of one diagnostic."""

from __future__ import annotations

import click

from flopod_compiler.cli.answer import answer, json_option, listing
from flopod_compiler.cli.base import example
from flopod_compiler.cli.values import codes


@example("flopod explain FLP101")
@click.command()
@click.argument("code", required=False, metavar="FLPnnn", shell_complete=codes)
@json_option
def explain(code: str | None) -> None:
    """Explain the diagnostic FLPnnn: what it means, why, and how to write it instead.

    Without a code, all of them are listed.
    """
    from flopod_compiler.diagnostics.catalogue import CATALOGUE, near_codes
    from flopod_compiler.diagnostics.pages import as_data, page

    if code is None:
        rules = CATALOGUE.values()
        listing(
            [{"code": one.code, "severity": one.severity, "title": one.title} for one in rules],
            lambda: "\n".join(f"{one.code}  {one.severity:7}  {one.title}" for one in rules),
            following=f"flopod explain {next(iter(CATALOGUE))}",
        )
    elif code.upper() in CATALOGUE:
        answer(as_data(code), page(code).rstrip("\n"), following="flopod check SRC")
    else:
        raise UnknownCode(code.upper(), near_codes(code.upper()))


class UnknownCode(click.UsageError):
    """A code that no diagnostic has, and those that are like it."""

    field = "FLPnnn"

    def __init__(self, code: str, near: list[str]) -> None:
        hint = f"did you mean {', '.join(near)}?" if near else "flopod explain lists all of them"
        super().__init__(f"there is no diagnostic {code!r}; {hint}")
        self.near = near
