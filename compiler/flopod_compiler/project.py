"""From a source root to a project: its modules, parsed, and its configuration."""

from __future__ import annotations

import os
from collections.abc import Container, Iterator
from pathlib import Path

from flopod.errors import UsageError
from flopod_compiler.configuration import read_configuration
from flopod_compiler.diagnostics import Diagnostic, Related, Span
from flopod_compiler.diagnostics.rules.discovery import ModuleTwice
from flopod_compiler.garbage import collector_paused
from flopod_compiler.model import Project, SourceModule
from flopod_compiler.parse import parse_text, read_text

_SKIPPED_FOLDERS = {"__pycache__", "node_modules", "__pypackages__", "site-packages"}
_OUTPUT_FILES = ("bundle.py", "server.py")
_OUTPUT_MARK = "[tool.flopod]"
_START = Span(1, 0, 1, 0)


def discover(src: Path, parsed: Container[str] = ()) -> Project:
    """Read every Python file of a project, and parse those whose versions are not among the `parsed`.

    `src` is a folder (the source root; packages need no `__init__.py`) or one `.py` file. What is wrong
    with single files is in `Project.diagnostics`; only a path that cannot be a source root raises
    `UsageError`.
    """
    src = Path(src)
    root, files = source_files(src)
    found = read_configuration(root)
    name = found.name or _default_name(src, root)
    project = Project(root=root, name=name, config=found.config, modules={}, config_path=found.path)
    if found.text:
        project.texts[found.path] = found.text
    project.diagnostics.extend(found.diagnostics)
    with collector_paused():
        for path in files:
            _add_module(project, path, parsed)
    project.modules = dict(sorted(project.modules.items()))
    return project


def source_files(src: Path) -> tuple[Path, list[Path]]:
    """The source root that `src` means, and the Python files of the project. Raises UsageError."""
    if src.is_file():
        if src.suffix != ".py":
            raise UsageError(f"{src}: not a Python file; give the source folder or a .py file")
        return src.resolve().parent, [src.resolve()]
    if src.is_symlink() and not src.exists():
        raise UsageError(f"{src}: a symbolic link that leads nowhere")
    if not src.exists():
        near = _near_folder(src)
        raise UsageError(f"{src}: no such file or folder" + (f"; did you mean {near}?" if near else ""))
    if not src.is_dir():
        raise UsageError(f"{src}: neither a folder nor a Python file")
    root = src.resolve()
    files = sorted(_walk(root))
    if not files:
        raise UsageError(f"{src}: no Python files below this folder")
    return root, files


def _near_folder(src: Path) -> str:
    import difflib

    try:
        names = [entry.name for entry in src.parent.iterdir() if entry.is_dir() or entry.suffix == ".py"]
    except OSError:
        return ""
    close = difflib.get_close_matches(src.name, names, n=1)
    return str(src.parent / close[0]) if close else ""


def _walk(root: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if not _skipped(Path(folder, name)))
        for name in names:
            if name.endswith(".py") and not name.startswith("."):
                path = Path(folder, name)
                if name not in _OUTPUT_FILES or not _is_output(path):
                    yield path


def _skipped(folder: Path) -> bool:
    name = folder.name
    if name.startswith(".") or name in _SKIPPED_FOLDERS or name.endswith((".egg-info", ".dist-info")):
        return True
    return (folder / "pyvenv.cfg").exists()


def _is_output(path: Path) -> bool:
    """Whether the file was written by a build: its inline metadata carries flopod's table."""
    if not path.is_file():
        return False
    try:
        head = path.read_bytes()[:4096].decode("utf-8", "replace")
    except OSError:
        return False
    return "# /// script" in head and f"# {_OUTPUT_MARK}" in head


def _add_module(project: Project, path: Path, parsed: Container[str]) -> None:
    relpath = path.relative_to(project.root).as_posix()
    text = read_text(path, relpath)
    if isinstance(text, Diagnostic):
        project.diagnostics.append(text)
        return
    name, is_package = _module_name(relpath)
    module = SourceModule(name, path, relpath, is_package, text)
    if module.version not in parsed:
        tree = parse_text(text, relpath)
        if isinstance(tree, Diagnostic):
            project.texts[relpath] = text
            project.diagnostics.append(tree)
            return
        module.parsed = tree
    known = project.modules.get(name)
    if known is not None:
        related = (Related(known.relpath, _START, "the other file"),)
        project.diagnostics.append(
            ModuleTwice.on(relpath, _START, related=related, name=f"the module {name}", other=known.relpath)
        )
        if not is_package:
            return
    project.modules[name] = module


def _module_name(relpath: str) -> tuple[str, bool]:
    parts = relpath.removesuffix(".py").split("/")
    if parts[-1] == "__init__" and len(parts) > 1:
        return ".".join(parts[:-1]), True
    return ".".join(parts), False


def _default_name(src: Path, root: Path) -> str:
    if src.is_file():
        return src.stem
    return root.parent.name if root.name == "src" and root.parent.name else root.name or "project"


def sources(project: Project) -> dict[str, str]:
    """The text of every file that could be read, by the path that diagnostics name."""
    return {module.relpath: module.text for module in project.modules.values()} | project.texts
