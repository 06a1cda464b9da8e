"""`flopod serve`: from a source to a server in one file."""

from __future__ import annotations

from pathlib import Path

import click

from flopod_compiler.cli.base import lock_options, next_step, output_option, source_argument
from flopod_compiler.cli.build import write_files


@click.command()
@source_argument
@output_option
@lock_options
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

    manifest, linked = built(src, SERVER, locked=locked, strict=strict)
    image = dockerfile(manifest, linked.requirements, caching=cache_folder(), artifact=SERVER)
    write_files(output, {"server.py": linked.content, "Dockerfile.server": image.encode()})
    click.echo(f"build {manifest.build[:12]} of {', '.join(manifest.workflows)}", err=True)
    next_step(f"python {output / 'server.py'}")
