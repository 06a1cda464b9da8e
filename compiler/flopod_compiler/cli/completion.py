"""`flopod completion`: the script by which a shell completes the commands."""

from __future__ import annotations

import click

SHELLS = ("bash", "zsh", "fish")


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
def completion(shell: str) -> None:
    """Print a script for SHELL that completes flopod's commands and options.

    For bash: eval "$(flopod completion bash)"
    """
    from click.shell_completion import get_completion_class

    from flopod_compiler.cli.group import flopod

    found = get_completion_class(shell)
    if found is None:
        raise click.UsageError(f"no completion for {shell}")
    click.echo(found(flopod, {}, "flopod", "_FLOPOD_COMPLETE").source())
