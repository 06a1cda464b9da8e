"""Compile for a command: report what was found on standard error, and end if it is an error."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from flopod.manifest import Manifest

if TYPE_CHECKING:
    from flopod_compiler.build import Compilation
    from flopod_compiler.bundle.artifact import Artifact
    from flopod_compiler.bundle.link import Linked
    from flopod_compiler.diagnostics import Diagnostic


def compiled(src: Path, *, strict: bool = False, locking: bool = False) -> tuple[Compilation, Manifest]:
    """The compilation of `src` and its manifest. Ends the command with status 1 on source errors."""
    from flopod_compiler.build import compile_project
    from flopod_compiler.stored import cache_folder

    found = compile_project(src, strict=strict, locking=locking, caching=cache_folder())
    report(found, found.diagnostics)
    if found.manifest is None or not found.ok:
        raise failed(found.diagnostics)
    return found, found.manifest


def built(src: Path, artifact: Artifact, *, locked: bool, strict: bool) -> tuple[Manifest, Linked]:
    """The manifest of `src` and the linked file; flopod.lock is brought up to date.

    Ends the command with status 1 on source errors, and with `locked` if the lock would change.
    """
    from flopod_compiler.bundle.link import link
    from flopod_compiler.cli.locking import keep_lock
    from flopod_compiler.stored import cache_folder

    found, manifest = compiled(src, strict=strict, locking=True)
    linked = link(found, cache_folder(), artifact)
    report(found, linked.diagnostics)
    if any(each.severity == "error" for each in linked.diagnostics):
        raise failed(linked.diagnostics)
    keep_lock(found, locked=locked)
    return manifest, linked


def rendered(found: Compilation, diagnostics: Sequence[Diagnostic], format: str = "text") -> str:
    """The diagnostics in one of the output formats, with paths as one would type them here."""
    from flopod_compiler.diagnostics.render import render
    from flopod_compiler.project import sources

    texts = sources(found.project)
    for path in {each.path for each in diagnostics}.difference(texts):
        texts[path] = _text(found.project.root / path)
    here = {path: _from_here(found.project.root / path) for path in texts}
    ordered = sorted(diagnostics, key=lambda each: each.order)
    return render(
        [_moved(each, here) for each in ordered], {here[path]: text for path, text in texts.items()}, format
    )


def _from_here(path: Path) -> str:
    """A path relative to the current folder, or the whole path of a file that is not below it."""
    try:
        return Path(os.path.normpath(path)).relative_to(Path.cwd()).as_posix()
    except (ValueError, OSError):
        return path.as_posix()


def _moved(one: Diagnostic, here: dict[str, str]) -> Diagnostic:
    related = tuple(replace(each, path=here.get(each.path, each.path)) for each in one.related)
    return replace(one, path=here.get(one.path, one.path), related=related)


def _text(path: Path) -> str:
    """A file that could not be decoded, as far as it can be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
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
