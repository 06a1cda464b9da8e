"""`flopod serve`: from a source to a server in one file."""

from __future__ import annotations

from pathlib import Path

import click

from flopod_compiler.cli.answer import json_option, quoted
from flopod_compiler.cli.base import example, lock_options, output_option, source_argument
from flopod_compiler.cli.build import answer_built, write_files


@example("flopod serve src")
@click.command()
@source_argument
@output_option
@lock_options
@json_option
def serve(src: Path, output: Path, locked: bool, strict: bool) -> None:
    """Compile SRC into server.py, a control plane with a dashboard, and Dockerfile.server.

    The server is one file that needs Python and the requirements in its header, not flopod: it starts runs
    over HTTP, drives them, and shows them. It keeps them in SQLite unless --backend says otherwise. The
    paths of the written files are printed on standard output.
    """
    from flopod_compiler.bundle.artifact import SERVER
    from flopod_compiler.bundle.dockerfile import dockerfile
    from flopod_compiler.cli.compiling import built
    from flopod_compiler.stored import cache_folder

    made = built(src, SERVER, locked=locked, strict=strict)
    image = dockerfile(made.manifest, made.linked.requirements, caching=cache_folder(), artifact=SERVER)
    files = {"server.py": made.linked.content, "Dockerfile.server": image.encode()}
    write_files(output, files)
    answer_built(made, output, files, f"python {quoted(output / 'server.py')}")
