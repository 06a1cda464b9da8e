"""`flopod completion`: the script by which a shell completes the commands."""

from __future__ import annotations

import click

from flopod_compiler.cli.base import example

SHELLS = ("bash", "zsh", "fish", "powershell")
PROGRAMS = ("flopod", "flopod-run")


@example(
    'eval "$(flopod completion bash)"',
    'eval "$(flopod completion zsh)"',
    "flopod completion fish | source",
    "flopod completion powershell | Out-String | Invoke-Expression",
)
@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
@click.option(
    "--program", type=click.Choice(PROGRAMS), default="flopod", show_default=True, help="What is completed."
)
def completion(shell: str, program: str) -> None:
    """Print a script for SHELL that completes commands, options, and what is in the store.

    Put its line into the file that your shell reads at its start.
    """
    from flopod_compiler.cli.completing import script
    from flopod_compiler.cli.deliver import flopod_run
    from flopod_compiler.cli.group import flopod

    click.echo(script(flopod if program == "flopod" else flopod_run, program, shell), nl=False)
