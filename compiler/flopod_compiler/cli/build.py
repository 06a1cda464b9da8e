"""`flopod build`: from a source to the files of `dist/`."""

from __future__ import annotations

import os
from pathlib import Path

import click

from flopod_compiler.cli.base import lock_options, next_step, output_option, source_argument


@click.command()
@source_argument
@output_option
@lock_options
def build(src: Path, output: Path, locked: bool, strict: bool) -> None:
    """Compile SRC into bundle.py, manifest.json and a Dockerfile, and keep flopod.lock up to date.

    The bundle is one file that needs Python and the requirements in its header, not flopod. The lock keeps
    the ids of durable calls while the source is edited; what changed in it is printed as a plan. The paths
    of the written files are printed on standard output.
    """
    import msgspec

    from flopod_compiler.bundle.artifact import JOB
    from flopod_compiler.bundle.dockerfile import dockerfile
    from flopod_compiler.cli.compiling import built, first_workflow, input_sample
    from flopod_compiler.stored import cache_folder

    manifest, linked = built(src, JOB, locked=locked, strict=strict)
    name, argument = first_workflow(manifest)
    sample = input_sample(manifest, name)
    document = msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n"
    image = dockerfile(manifest, linked.requirements, argument + sample, cache_folder())
    write_files(
        output,
        {"bundle.py": linked.content, "manifest.json": document, "Dockerfile": image.encode()},
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
