"""The direction of imports: the runtime's layers, and never from the runtime to the compiler."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LAYERS = ["codec", "events", "backends", "detach", "log", "workflow", "graph", "engine", "server", "testing"]
FORBIDDEN = {"flopod_compiler", "flopod_templates", "click", "libcst"}
OF_THE_SERVER = {"jinja2", "starlette", "uvicorn"}
RUNTIME = sorted((ROOT / "runtime" / "flopod").rglob("*.py"))
ALL = [*RUNTIME, *sorted((ROOT / "compiler").rglob("*.py"))]


def imported(path: Path) -> set[str]:
    """The dotted names of every absolute import in a file, those inside functions included."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def test_the_runtime_never_imports_the_compiler() -> None:
    """A bundle carries the runtime alone."""
    for path in RUNTIME:
        for name in imported(path):
            assert name.split(".")[0] not in FORBIDDEN, path


def test_the_server_alone_needs_a_web_framework() -> None:
    """A bundle starts without what only a control plane needs."""
    for path in RUNTIME:
        if "server" not in path.parts:
            assert not {name.split(".")[0] for name in imported(path)} & OF_THE_SERVER, path


@pytest.mark.parametrize("layer", LAYERS)
def test_layers_import_downwards(layer: str) -> None:
    """No module imports from a layer above its own."""
    above = LAYERS[LAYERS.index(layer) + 1 :]
    for path in (ROOT / "runtime" / "flopod" / layer).rglob("*.py"):
        for name in imported(path):
            parts = name.split(".")
            upwards = parts[0] == "flopod" and len(parts) > 1 and parts[1] in above
            assert not upwards, f"{path.name} imports {name}"


def test_files_stay_small() -> None:
    """No source file grows beyond what one can hold in mind."""
    long = {path.name: n for path in ALL if (n := len(path.read_text(encoding="utf-8").splitlines())) > 550}
    assert not long
