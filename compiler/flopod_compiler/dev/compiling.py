"""The source as it is on disk, compiled: a build that can be shown and run, or what is wrong with it."""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from flopod.errors import FlopodError
from flopod.server.host import Build
from flopod.server.views.words import counted
from flopod_compiler.dev.image import Image, image_of

if TYPE_CHECKING:
    from flopod_compiler.build import Compilation
    from flopod_compiler.diagnostics import Diagnostic


@dataclass(frozen=True, slots=True)
class Finding:
    """A diagnostic as the page shows it: its head line, and its text with the source line and carets."""

    code: str
    severity: str
    place: str
    message: str
    text: str


@dataclass(frozen=True, slots=True)
class Compiled:
    """What came of compiling: `image` is None if there are errors; `plan` is what changed in flopod.lock.

    `trouble` is what is wrong beside the findings, `said` the findings as a terminal shows them.
    """

    findings: Sequence[Finding] = ()
    plan: Sequence[str] = ()
    trouble: str = ""
    said: str = field(default="", repr=False)
    image: Image | None = field(default=None, repr=False)

    @property
    def errors(self) -> int:
        """How much has to be mended before this can run."""
        return sum(each.severity == "error" for each in self.findings) + bool(self.trouble)

    @property
    def verdict(self) -> str:
        """What came of it in a few words."""
        if self.image is None:
            return counted(self.errors, "error")
        workflows = counted(len(self.image.build.manifest.workflows), "workflow")
        return workflows + (f", {counted(len(self.findings), 'warning')}" if self.findings else "")


def compile_source(src: Path, *, in_color: bool = False) -> Compiled:
    """Compile `src`, and keep flopod.lock beside it, so that runs in flight go on after an edit.

    Whatever goes wrong is in what is returned; `said` is for the terminal.
    """
    try:
        return _compile(src, in_color)
    except FlopodError as error:
        return Compiled(trouble=str(error))
    except Exception:
        return Compiled(trouble=f"the compiler has failed; please report it\n{traceback.format_exc()}")


def _compile(src: Path, in_color: bool) -> Compiled:
    from flopod_compiler.build import compile_project
    from flopod_compiler.cli.compiling import rendered
    from flopod_compiler.cli.locking import plan_lines, write_lock
    from flopod_compiler.stored import cache_folder

    found = compile_project(src, locking=True, caching=cache_folder())
    findings = tuple(_findings(found))
    said = rendered(found, found.diagnostics, in_color=in_color) if findings else ""
    if found.manifest is None or not found.ok:
        return Compiled(findings, said=said)
    changed = found.lock is not None and found.lock.differs
    plan = plan_lines(found.lock.plan) if found.lock is not None and changed and not found.lock.is_new else ()
    write_lock(found)
    return Compiled(findings, plan, said=said, image=image_of(found, _build(found)))


def _build(found: Compilation) -> Build:
    assert found.manifest is not None
    modules = found.project.modules.values()
    return Build(
        found.manifest,
        {each.relpath: each.text for each in modules},
        {each.module.relpath: each.text for each in found.lowered.values()},
    )


def _findings(found: Compilation) -> list[Finding]:
    return [_finding(found, each) for each in sorted(found.diagnostics, key=lambda one: one.order)]


def _finding(found: Compilation, one: Diagnostic) -> Finding:
    from flopod_compiler.cli.compiling import rendered

    place = f"{one.path}:{one.span.line}:{one.span.col + 1}"
    return Finding(one.code, one.severity, place, one.message, rendered(found, [one]))
