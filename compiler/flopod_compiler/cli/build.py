"""`flopod build`: from a source to the files of `dist/`."""

from __future__ import annotations

import os
from pathlib import Path

import click

from flopod_compiler.cli.base import next_step, source_argument


@click.command()
@source_argument
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default="dist",
    show_default=True,
    help="The folder to write to.",
)
@click.option("--locked", is_flag=True, help="Fail if flopod.lock would change, and write nothing.")
@click.option("--strict", is_flag=True, help="Treat warnings about ids as errors.")
def build(src: Path, output: Path, locked: bool, strict: bool) -> None:
    """Compile SRC into bundle.py, manifest.json and a Dockerfile, and keep flopod.lock up to date.

    The bundle is one file that needs Python and the requirements in its header, not flopod. The lock keeps
    the ids of durable calls while the source is edited; what changed in it is printed as a plan. The paths
    of the written files are printed on standard output.
    """
    import msgspec

    from flopod_compiler.bundle.dockerfile import dockerfile
    from flopod_compiler.bundle.link import link
    from flopod_compiler.cli.compiling import compiled, failed, first_workflow, input_sample, report
    from flopod_compiler.cli.locking import keep_lock
    from flopod_compiler.stored import cache_folder

    found, manifest = compiled(src, strict=strict, locking=True)
    caching = cache_folder()
    linked = link(found, caching)
    report(found, linked.diagnostics)
    if any(each.severity == "error" for each in linked.diagnostics):
        raise failed(linked.diagnostics)
    keep_lock(found, locked=locked)
    name, argument = first_workflow(manifest)
    sample = input_sample(manifest, name)
    document = msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n"
    write_files(
        output,
        {
            "bundle.py": linked.content,
            "manifest.json": document,
            "Dockerfile": dockerfile(manifest, linked.requirements, argument + sample, caching).encode(),
        },
    )
    click.echo(f"build {manifest.build[:12]} of {', '.join(manifest.workflows)}", err=True)
    next_step(f"python {output / 'bundle.py'}{argument}{sample}")


def write_files(folder: Path, files: dict[str, bytes]) -> None:
    """Write `files` into `folder`, each in one step, so that no half of a file is ever there.

    Raises a usage error if the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            replace_file(folder / name, content)
            click.echo(folder / name)
    except OSError as error:
        raise click.UsageError(f"cannot write {error.filename or folder}: {error.strerror}") from None


def replace_file(path: Path, content: bytes) -> None:
    """Write one file in one step."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_bytes(content)
        draft.chmod(0o755 if content.startswith(b"#!") else 0o644)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
