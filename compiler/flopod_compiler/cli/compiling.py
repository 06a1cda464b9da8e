"""Compile for a command: report what was found on standard error, and end if it is an error."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from flopod.manifest import Manifest

if TYPE_CHECKING:
    from flopod_compiler.build import Compilation
    from flopod_compiler.diagnostics import Diagnostic


def compiled(src: Path, *, strict: bool = False) -> tuple[Compilation, Manifest]:
    """The compilation of `src` and its manifest. Ends the command with status 1 on source errors."""
    from flopod_compiler.build import compile_project

    found = compile_project(src, strict=strict)
    report(found, found.diagnostics)
    if found.manifest is None or not found.ok:
        raise failed(found.diagnostics)
    return found, found.manifest


def rendered(found: Compilation, diagnostics: Sequence[Diagnostic], format: str = "text") -> str:
    """The diagnostics in one of the output formats."""
    from flopod_compiler.diagnostics.render import render

    sources = {each.relpath: each.text for each in found.project.modules.values()}
    for path in {each.path for each in diagnostics}.difference(sources):
        sources[path] = _text(found.project.root / path)
    return render(sorted(diagnostics, key=lambda each: each.order), sources, format)


def _text(path: Path) -> str:
    """A source that could not be parsed, or a file that is not Python, as far as it can be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except (OSError, ValueError):
        return ""


def report(found: Compilation, diagnostics: Sequence[Diagnostic]) -> None:
    if diagnostics:
        click.echo(rendered(found, diagnostics).rstrip("\n"), err=True)


def failed(diagnostics: Sequence[Diagnostic]) -> click.exceptions.Exit:
    """The end of a command because of errors in the source."""
    errors = [each for each in diagnostics if each.severity == "error"]
    click.echo(f"{len(errors)} error{'s' if len(errors) != 1 else ''}", err=True)
    return click.exceptions.Exit(1)


def input_sample(manifest: Manifest, name: str) -> str:
    """An `--input` option with every required parameter of a workflow, empty if there is none."""
    entry = manifest.workflows[name]
    names = [each.name for each in entry.parameters if each.required and not each.kind.startswith("VAR")]
    if not names:
        return ""
    return " --input '{" + ", ".join(f'"{each}": ...' for each in names) + "}'"


def first_workflow(manifest: Manifest) -> tuple[str, str]:
    """A workflow to show in an example: its name, and the name as an argument if one is needed."""
    name = next(iter(manifest.workflows))
    return name, f" {name}" if len(manifest.workflows) > 1 else ""
