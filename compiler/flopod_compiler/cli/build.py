"""`flopod build`: from a source to the files of `dist/`."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from flopod_compiler.cli.answer import answer, data, json_option, note, quoted
from flopod_compiler.cli.base import example, lock_options, output_option, source_argument

if TYPE_CHECKING:
    from flopod_compiler.cli.compiling import Built


@example("flopod build src", "flopod build src -o dist --locked")
@click.command()
@source_argument
@output_option
@lock_options
@json_option
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

    made = built(src, JOB, locked=locked, strict=strict)
    manifest, linked = made.manifest, made.linked
    name, argument = first_workflow(manifest)
    sample = input_sample(manifest, name)
    document = msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n"
    image = dockerfile(manifest, linked.requirements, argument + sample, cache_folder())
    files = {"bundle.py": linked.content, "manifest.json": document, "Dockerfile": image.encode()}
    write_files(output, files)
    answer_built(made, output, files, f"python {quoted(output / 'bundle.py')}{argument}{sample}")


def write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write `files` into `folder`, each in one step, so that no half of a file is ever there.

    Raises a usage error if the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            replace_file(folder / name, content)
    except OSError as error:
        raise click.UsageError(f"cannot write {error.filename or folder}: {error.strerror}") from None


def answer_built(made: Built, folder: Path, files: Iterable[str], following: str) -> None:
    """Say what a build has made, and what to type next."""
    paths = [str(folder / name) for name in files]
    build, workflows = made.manifest.build, list(made.manifest.workflows)
    data("\n".join(paths))
    note(f"build {build[:12]} of {', '.join(workflows)}")
    answer({"build": build, "workflows": workflows, "files": paths, "plan": made.plan}, following=following)


def replace_file(path: Path, content: bytes) -> None:
    """Write one file in one step."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_bytes(content)
        draft.chmod(0o755 if content.startswith(b"#!") else 0o644)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
