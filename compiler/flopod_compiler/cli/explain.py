"""`flopod explain`: the page of one diagnostic."""

from __future__ import annotations

import click


@click.command()
@click.argument("code", required=False, metavar="FLPnnn")
def explain(code: str | None) -> None:
    """Explain the diagnostic FLPnnn: what it means, why, and how to write it instead.

    Without a code, all of them are listed.
    """
    from flopod_compiler.diagnostics.catalogue import CATALOGUE
    from flopod_compiler.diagnostics.catalogue import explain as page

    if code is None:
        click.echo("\n".join(f"{rule.code}  {rule.title}" for rule in CATALOGUE.values()))
    elif code.upper() in CATALOGUE:
        click.echo(page(code).rstrip("\n"))
    else:
        raise click.UsageError(_unknown(code.upper(), list(CATALOGUE)))


def _unknown(code: str, known: list[str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(code, known, 3)
    hint = f"did you mean {', '.join(near)}?" if near else "flopod explain lists all of them"
    return f"there is no diagnostic {code!r}; {hint}"
