"""`flopod init`: a small project that runs."""

from __future__ import annotations

import re
from pathlib import Path

import click

from flopod_compiler.cli.answer import answer, json_option, quoted
from flopod_compiler.cli.base import example

FILES = {
    "src/newsletter.py": "init/newsletter.py.jinja",
    "tests/test_newsletter.py": "init/test_newsletter.py.jinja",
    "pyproject.toml": "init/pyproject.toml.jinja",
    "README.md": "init/README.md.jinja",
    ".gitignore": "init/gitignore.jinja",
}


@example("flopod init demo")
@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), metavar="DIR")
@json_option
def init(folder: Path) -> None:
    """Write a small project with one workflow to the new folder DIR."""
    from flopod_templates import render

    if folder.is_dir() and any(folder.iterdir()):
        raise click.UsageError(f"{folder} is not empty; give a new folder")
    model = {"name": _project_name(folder)}
    files = [folder / name for name in FILES]
    for path, template in zip(files, FILES.values(), strict=True):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(render(template, model), encoding="utf-8")
    answer(
        {"folder": str(folder), "files": list(map(str, files))},
        "\n".join(map(str, files)),
        following=f"flopod dev {quoted(folder / 'src')}",
    )


def _project_name(folder: Path) -> str:
    """The folder's name as the name of a distribution."""
    name = re.sub(r"[^a-z0-9]+", "-", folder.resolve().name.lower()).strip("-")
    return name or "newsletter"
