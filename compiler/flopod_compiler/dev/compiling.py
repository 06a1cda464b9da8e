"""The source as it is on disk, compiled: a build that can be shown and run, or what is wrong with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from flopod.errors import FlopodError
from flopod.server.host import Build

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
    """What came of compiling: `build` is None if there are errors; `plan` is what changed in flopod.lock."""

    build: Build | None = None
    findings: Sequence[Finding] = ()
    plan: Sequence[str] = ()
    trouble: str = ""
    compilation: Compilation | None = field(default=None, repr=False)


def compile_source(src: Path) -> Compiled:
    """Compile `src`, and keep flopod.lock beside it, so that runs in flight go on after an edit."""
    from flopod_compiler.build import compile_project
    from flopod_compiler.cli.locking import plan_lines, write_lock
    from flopod_compiler.stored import cache_folder

    try:
        found = compile_project(src, locking=True, caching=cache_folder())
    except FlopodError as error:
        return Compiled(trouble=str(error))
    findings = tuple(_findings(found))
    if found.manifest is None or not found.ok:
        return Compiled(findings=findings, compilation=found)
    changed = found.lock is not None and found.lock.differs
    plan = plan_lines(found.lock.plan) if found.lock is not None and changed and not found.lock.is_new else ()
    write_lock(found)
    return Compiled(_build(found), findings, plan, compilation=found)


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
