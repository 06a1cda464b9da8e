"""`flopod init`: a small project that runs."""

from __future__ import annotations

import re
from pathlib import Path

import click

from flopod_compiler.cli.base import next_step

FILES = {
    "src/greetings.py": "init/greetings.py.jinja",
    "tests/test_greetings.py": "init/test_greetings.py.jinja",
    "pyproject.toml": "init/pyproject.toml.jinja",
    "README.md": "init/README.md.jinja",
    ".gitignore": "init/gitignore.jinja",
}


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), metavar="DIR")
def init(folder: Path) -> None:
    """Write a small project with one workflow to the new folder DIR."""
    from flopod_templates import render

    if folder.is_dir() and any(folder.iterdir()):
        raise click.UsageError(f"{folder} is not empty; give a new folder")
    model = {"name": _project_name(folder)}
    for name, template in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(render(template, model), encoding="utf-8")
        click.echo(path)
    next_step(f"""cd {folder} && flopod run src --input '{{"name": "Ada"}}'""")


def _project_name(folder: Path) -> str:
    """The folder's name as the name of a distribution."""
    name = re.sub(r"[^a-z0-9]+", "-", folder.resolve().name.lower()).strip("-")
    return name or "greetings"
