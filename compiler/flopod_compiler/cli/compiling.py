"""Compile for a command: report what was found on standard error, and end if it is an error."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple

import click

from flopod.manifest import Manifest
from flopod.terminal import painted
from flopod_compiler.cli.answer import note
from flopod_compiler.cli.failure import Failure

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
    assert found.manifest is not None
    return found, found.manifest


class Built(NamedTuple):
    """What a build has made; `plan` says what it has changed in flopod.lock."""

    manifest: Manifest
    linked: Linked
    plan: dict[str, Any] | None


def built(src: Path, artifact: Artifact, *, locked: bool, strict: bool) -> Built:
    """The manifest of `src` and the linked file; flopod.lock is brought up to date.

    Ends the command with status 1 on source errors, and with `locked` if the lock would change.
    """
    from flopod_compiler.bundle.link import link
    from flopod_compiler.cli.locking import keep_lock, plan
    from flopod_compiler.stored import cache_folder

    found, manifest = compiled(src, strict=strict, locking=True)
    linked = link(found, cache_folder(), artifact)
    report(found, linked.diagnostics)
    keep_lock(found, src, locked=locked)
    return Built(manifest, linked, plan(found))


def rendered(
    found: Compilation, diagnostics: Sequence[Diagnostic], format: str = "text", *, in_color: bool = False
) -> str:
    """The diagnostics in one of the output formats, with paths as one would type them here."""
    from flopod_compiler.diagnostics.render import render
    from flopod_compiler.project import sources

    texts = sources(found.project)
    for path in {each.path for each in diagnostics}.difference(texts):
        texts[path] = _content(found.project.root / path)
    here = {path: _from_here(found.project.root / path) for path in texts}
    ordered = [_moved(each, here) for each in sorted(diagnostics, key=lambda each: each.order)]
    return render(ordered, {here[path]: text for path, text in texts.items()}, format, in_color=in_color)


def _from_here(path: Path) -> str:
    """A path relative to the current folder, or the whole path of a file that is not below it."""
    try:
        return Path(os.path.normpath(path)).relative_to(Path.cwd()).as_posix()
    except (ValueError, OSError):
        return path.as_posix()


def _moved(one: Diagnostic, here: dict[str, str]) -> Diagnostic:
    related = tuple(replace(each, path=here.get(each.path, each.path)) for each in one.related)
    return replace(one, path=here.get(one.path, one.path), related=related)


def _content(path: Path) -> str:
    """A file that could not be decoded, as far as it can be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    except (OSError, ValueError):
        return ""


def report(found: Compilation, diagnostics: Sequence[Diagnostic]) -> None:
    """Say on standard error what was found. Raises SourceErrors if something of it is an error."""
    if any(each.severity == "error" for each in diagnostics):
        raise SourceErrors(found, diagnostics)
    if diagnostics:
        note(_text(found, diagnostics), {"diagnostics": as_data(found, diagnostics)})


def as_data(found: Compilation, diagnostics: Sequence[Diagnostic]) -> Any:
    """Diagnostics as JSON data."""
    return json.loads(rendered(found, diagnostics, "json"))


def _text(found: Compilation, diagnostics: Sequence[Diagnostic]) -> str:
    return rendered(found, diagnostics, in_color=True).rstrip("\n")


class SourceErrors(Failure):
    """The end of a command because of errors in the source, which may be `printed` already."""

    def __init__(
        self, found: Compilation, diagnostics: Sequence[Diagnostic], *, printed: bool = False
    ) -> None:
        errors = [each for each in diagnostics if each.severity == "error"]
        super().__init__(
            f"{len(errors)} error{'s' if len(errors) != 1 else ''}",
            following=f"flopod explain {errors[0].code}",
            data={} if printed else {"diagnostics": as_data(found, diagnostics)},
        )
        self._text = "" if printed else _text(found, diagnostics)

    def show(self, file: IO[Any] | None = None) -> None:  # noqa: ARG002
        click.echo("\n".join(filter(None, (self._text, painted(self.message, "bad")))), err=True)


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
