"""`flopod diff`: whether runs of another build can go on with the source as it is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from flopod_compiler.cli.answer import json_option, listing, next_step, quoted
from flopod_compiler.cli.base import example, source_argument, table
from flopod_compiler.cli.values import backends

if TYPE_CHECKING:
    from flopod.manifest import Manifest
    from flopod_compiler.build import Compilation

DIVERGED = 5


@example("flopod diff src --against dist/manifest.json", "flopod diff src --runs sqlite")
@click.command()
@source_argument
@click.option(
    "--against",
    metavar="MANIFEST",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The manifest.json of another build: a verdict for each position of its workflows.",
)
@click.option(
    "--runs",
    metavar="BACKEND",
    shell_complete=backends,
    help="Where runs are kept: a verdict for each that is not over.",
)
@json_option
def diff(src: Path, against: Path | None, runs: str | None) -> None:
    """Say which runs of another build could go on with a build of SRC, and where they could not.

    With --runs the log of each open run is replayed, without calling or writing anything. Ends with status 5
    if there is a run or a position that does not fit.
    """
    if (against is None) == (runs is None):
        raise click.UsageError("give either --against MANIFEST or --runs BACKEND")
    from flopod.engine import seed

    if runs is not None:
        seed.settle()

    from flopod_compiler.cli.compiling import compiled
    from flopod_compiler.cli.locking import show_plan

    found, manifest = compiled(src)
    show_plan(found)
    fits = _against(against, manifest) if against else _runs(found, manifest, runs or "")
    next_step(f"flopod build {quoted(src)}" if fits else "finish those runs with the build that they need")
    if not fits:
        raise click.exceptions.Exit(DIVERGED)


def _against(path: Path, manifest: Manifest) -> bool:
    from flopod_compiler.lock.verdict import compare

    verdicts = compare(_read(path), manifest)
    rows = [(one.verdict, one.workflow, one.path, one.why) for one in verdicts]
    listing([one.as_data() for one in verdicts], lambda: table(("verdict", "workflow", "position", ""), rows))
    return all(one.verdict != "lost" for one in verdicts)


def _read(path: Path) -> Manifest:
    import msgspec

    from flopod.manifest import Manifest

    try:
        return msgspec.json.decode(path.read_bytes(), type=Manifest)
    except msgspec.DecodeError as error:
        raise click.UsageError(f"{path} is no manifest: {error}") from None


def _runs(found: Compilation, manifest: Manifest, backend: str) -> bool:
    from flopod_compiler.cli.moving import open_runs

    runs: list[dict[str, Any]] = open_runs(found, manifest, backend)
    rows = [(one["run"], one["verdict"], ", ".join(one["at"]), one["why"]) for one in runs]
    listing(runs, lambda: table(("run", "verdict", "stands at", ""), rows), nothing="no run is open")
    return all(one["verdict"] == "fits" for one in runs)
