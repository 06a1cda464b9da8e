"""Small virtual projects: a mapping of paths to texts, written out, discovered and classified."""

from __future__ import annotations

import ast
from pathlib import Path
from textwrap import dedent

from flopod_compiler.classify import classify
from flopod_compiler.diagnostics.settle import settle
from flopod_compiler.model import CallInfo, Classified, Project
from flopod_compiler.project import discover

Files = dict[str, str] | dict[str, bytes] | str


def write(root: Path, files: Files) -> Path:
    """Write a project below `root`; a single text becomes `main.py`. The root is returned."""
    for path, text in ({"main.py": files} if isinstance(files, str) else files).items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text if isinstance(text, bytes) else dedent(text).encode())
    return root


def project(root: Path, files: Files) -> Project:
    return discover(write(root, files))


def classified(root: Path, files: Files, *, all_functions: bool = False) -> Classified:
    found = project(root, files)
    result = classify(found, all_functions=all_functions)
    result.diagnostics = settle(result.diagnostics, found)
    return result


def workflow(body: str, head: str = "", arguments: str = "") -> str:
    """A module with one workflow `main` of the given body."""
    lines = "\n".join(f"    {line}" for line in dedent(body).strip("\n").split("\n"))
    return f"from flopod import workflow\n{dedent(head)}\n@workflow\nasync def main({arguments}):\n{lines}\n"


def infos(result: Classified) -> dict[str, CallInfo]:
    """The classified calls by their source text."""
    return {ast.unparse(call): info for call, info in result.calls.items()}


def kinds(result: Classified) -> dict[str, str]:
    """The kinds of calls by their source text."""
    return {text: info.kind.value for text, info in infos(result).items()}


def codes(result: Classified) -> list[str]:
    return [one.code for one in result.diagnostics]
