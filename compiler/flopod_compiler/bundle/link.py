"""A compilation as one file, `bundle.py` or `server.py`: header, importer, modules, data and runtime."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from flopod.manifest import Manifest
from flopod_compiler.bundle import loader
from flopod_compiler.bundle.artifact import JOB, Artifact
from flopod_compiler.bundle.files import DataFile, included_files
from flopod_compiler.bundle.imports import imports_in, modules_reached
from flopod_compiler.bundle.linemap import compress_lines
from flopod_compiler.bundle.literal import literal, normalised
from flopod_compiler.bundle.requirements import lowest_python, requirements
from flopod_compiler.bundle.runtime import linked_runtime
from flopod_compiler.diagnostics import Diagnostic
from flopod_compiler.garbage import collector_paused
from flopod_compiler.model import Project, SourceModule
from flopod_templates import dashboard_files, render

if TYPE_CHECKING:
    from flopod_compiler.build import Compilation


@dataclass(frozen=True, slots=True)
class Linked:
    """A linked file: its bytes, what it requires, and what was found on the way."""

    content: bytes
    requirements: list[str]
    python: str
    modules: list[str]
    diagnostics: list[Diagnostic] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Text:
    """One embedded text, as the template shows it."""

    name: str
    path: str
    text: str
    lines: str = ""


def link(compilation: Compilation, caching: Path | None = None, artifact: Artifact = JOB) -> Linked:
    """Link a compilation without errors into the text of an artifact, `dist/bundle.py` by default.

    The same compilation gives the same bytes, with and without the folder `caching`. An import that nothing
    installed provides is an FLP705 among the diagnostics.
    """
    if compilation.manifest is None:
        raise ValueError("a compilation with errors cannot be linked")
    with collector_paused():
        return _linked(compilation, compilation.manifest, caching, artifact)


def _linked(compilation: Compilation, manifest: Manifest, caching: Path | None, artifact: Artifact) -> Linked:
    project = compilation.project
    files, found = included_files(project)
    authored = _authored(project, compilation)
    needs, missing = requirements(artifact, authored, _own_names(project))
    python = lowest_python(each.text for each in authored)
    imported = [one for module in authored for one in imports_in(module)]
    runtime = linked_runtime(artifact.entry, caching, imported)
    text = render(
        artifact.template,
        {
            "what": artifact.what,
            **_header(manifest, needs, python),
            **_loader_parts(),
            "manifest": _text(manifest) if artifact.inspected else _slim(manifest),
            "authored": [Text(each.name, each.relpath, normalised(each.text)) for each in authored],
            "lowered": _lowered(compilation),
            **_data(files, {each.relpath for each in authored}),
            "runtime": [Text(name, path, text) for name, (path, text) in runtime.items()],
            "pages": dashboard_files() if artifact.inspected else {},
        },
        caching,
        literal=literal,
    )
    names = [each.name for each in authored]
    return Linked(text.encode(), needs, python, names, [*found, *missing])


def _header(manifest: Manifest, needs: list[str], python: str) -> dict[str, Any]:
    return {
        "name": manifest.name,
        "build": manifest.build,
        "compiler": manifest.compiler,
        "workflows": sorted(manifest.workflows),
        "requirements": needs,
        "python": python,
    }


def _loader_parts() -> dict[str, str]:
    """The importer's source, its imports apart, without its docstring."""
    source = Path(loader.__file__).read_text(encoding="utf-8")
    lines = source.splitlines()
    body = ast.parse(source).body
    imports = [node for node in body if isinstance(node, (ast.Import, ast.ImportFrom))]
    first, last = imports[0].lineno - 1, imports[-1].end_lineno or 0
    return {"imports": "\n".join(lines[first:last]), "loader": "\n".join(lines[last:]).strip("\n")}


def _slim(manifest: Manifest) -> str:
    """What the runtime reads of the manifest; the rest is in `manifest.json` only."""
    slim = msgspec.structs.replace(manifest, ir={}, graph={}, lines={})
    return _text(slim)


def _text(manifest: Manifest) -> str:
    return msgspec.json.format(msgspec.json.encode(manifest), indent=1).decode()


def _authored(project: Project, compilation: Compilation) -> list[SourceModule]:
    """The project's modules that a run can import, in the order of their names."""
    manifest = compilation.manifest
    roots = {*compilation.lowered}
    roots |= {entry.module for entry in manifest.workflows.values()} if manifest else set()
    roots |= {manifest.hooks.partition(":")[0]} if manifest and manifest.hooks else set()
    roots |= {each.name for each in project.modules.values() if _is_included(project, each)}
    names = modules_reached(
        sorted(roots),
        project.modules.__contains__,
        lambda name: imports_in(project.modules[name]),
    )
    return [project.modules[name] for name in sorted(names)]


def _is_included(project: Project, module: SourceModule) -> bool:
    """Whether a pattern of `include` names the module, which then needs no import to be linked."""
    return any(module.path.match(pattern) for pattern in project.config.include if pattern.endswith(".py"))


def _own_names(project: Project) -> set[str]:
    return {name.partition(".")[0] for name in project.modules}


def _lowered(compilation: Compilation) -> list[Text]:
    return [
        Text(name, each.module.relpath, normalised(each.text), compress_lines(each.line_map))
        for name, each in sorted(compilation.lowered.items())
    ]


def _data(files: list[DataFile], modules: set[str]) -> dict[str, list[DataFile]]:
    files = [file for file in files if file.path not in modules]
    return {
        "text_files": [file for file in files if not file.binary],
        "binary_files": [file for file in files if file.binary],
    }
