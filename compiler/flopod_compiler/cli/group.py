"""The command tree of `flopod`."""

from __future__ import annotations

import click

from flopod_compiler.cli.base import SETTINGS, Group
from flopod_compiler.cli.build import build
from flopod_compiler.cli.check import check
from flopod_compiler.cli.completion import completion
from flopod_compiler.cli.dev import dev
from flopod_compiler.cli.diff import diff
from flopod_compiler.cli.explain import explain
from flopod_compiler.cli.graph import graph
from flopod_compiler.cli.init import init
from flopod_compiler.cli.run import run
from flopod_compiler.cli.runs import runs
from flopod_compiler.cli.schedules import schedules
from flopod_compiler.cli.serve import serve


def _print_version(ctx: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        from importlib.metadata import version

        click.echo(f"flopod {version('flopod')}")
        ctx.exit()


@click.group(cls=Group, context_settings=SETTINGS)
@click.option(
    "--version",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_print_version,
    help="Show the version and exit.",
)
def flopod() -> None:
    """Compile ordinary Python into workflows that survive being killed."""


for _command in (init, check, build, run, dev, serve, graph, diff, runs, schedules, explain, completion):
    flopod.add_command(_command)
