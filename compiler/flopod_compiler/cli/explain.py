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
    from flopod_compiler.diagnostics.pages import page

    if code is None:
        click.echo("\n".join(f"{rule.code}  {rule.severity:7}  {rule.title}" for rule in CATALOGUE.values()))
    elif code.upper() in CATALOGUE:
        click.echo(page(code).rstrip("\n"))
    else:
        raise click.UsageError(_unknown(code.upper()))


def _unknown(code: str) -> str:
    from flopod_compiler.diagnostics.catalogue import near_codes

    near = near_codes(code)
    hint = f"did you mean {', '.join(near)}?" if near else "flopod explain lists all of them"
    return f"there is no diagnostic {code!r}; {hint}"
