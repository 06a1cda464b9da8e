"""Compilations made by hand, so that the linker is tested without the compiler."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from flopod.manifest import Manifest, Parameter, WorkflowEntry
from flopod_compiler.bundle.link import Linked, link
from flopod_compiler.model import Config, Lowered, Project, SourceModule


def project(root: Path, files: dict[str, str | bytes], include: tuple[str, ...] = ()) -> Project:
    """Write `files` below `root` and give them as a project."""
    for relpath, content in files.items():
        path = root / relpath
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    modules = [_module(root, relpath) for relpath in sorted(files) if relpath.endswith(".py")]
    named = {module.name: module for module in modules}
    return Project(root, root.name, Config(include=include), named)


def _module(root: Path, relpath: str) -> SourceModule:
    is_package = relpath.endswith("__init__.py")
    name = relpath.removesuffix("/__init__.py").removesuffix(".py").replace("/", ".")
    text = (root / relpath).read_text(encoding="utf-8")
    return SourceModule(name, root / relpath, relpath, is_package, text, ast.parse(text))


def compilation(
    found: Project, workflows: dict[str, str], lowered: dict[str, tuple[str, list[int]]] | None = None
) -> Any:
    """A compilation of `found`: `workflows` maps names to `module:function`."""
    entries = {}
    for name, where in workflows.items():
        module, _, function = where.partition(":")
        entries[name] = WorkflowEntry(name, module, function, parameters=[Parameter("value")])
    manifest = Manifest("b" * 64, found.name, entries, compiler="0.1.0")
    return SimpleNamespace(
        project=found,
        manifest=manifest,
        diagnostics=[],
        lowered={
            name: Lowered(found.modules[name], text, lines) for name, (text, lines) in (lowered or {}).items()
        },
    )


def linked(
    root: Path,
    files: dict[str, str | bytes],
    main: str,
    lowered: dict[str, tuple[str, list[int]]] | None = None,
    include: tuple[str, ...] = (),
) -> Linked:
    """Link `files`; `main` is the module of the only workflow, `run`."""
    return link(compilation(project(root, files, include), {"run": f"{main}:run"}, lowered))


def run_in_bundle(folder: Path, bundle: bytes, code: str, *switches: str, **environment: str) -> str:
    """Run `code` in a new process that has imported the bundle, and return what it prints.

    The code stands in a script of its own, in another folder than the sources.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "bundle.py").write_bytes(bundle)
    (folder / "script.py").write_text(
        f"import sys\nsys.path.insert(0, {str(folder)!r})\nimport bundle\n{code}"
    )
    done = subprocess.run(
        [sys.executable, *switches, str(folder / "script.py")],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
