"""A project as large as wanted, made of the golden cases: their constructs, in their proportions."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures"


@dataclass(frozen=True)
class Size:
    """Lines of a project, and how many of them are in bodies of workflows."""

    modules: int
    lines: int
    inside: int


def generate(folder: Path, lines: int) -> None:
    """Write modules until there are as many lines: each is a case, with every workflow in it three times."""
    total = 0
    for name, text in _modules():
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
        total += text.count("\n")
        if total >= lines:
            break


def size(folder: Path) -> Size:
    """How large a project is."""
    texts = [path.read_text("utf-8") for path in sorted(folder.glob("*.py"))]
    workflows = [each for text in texts for each in _workflows(ast.parse(text))]
    inside = sum((each.end_lineno or 0) - each.lineno for each in workflows)
    return Size(len(texts), sum(text.count("\n") for text in texts), inside)


def _modules() -> Iterator[tuple[str, str]]:
    cases = [path for path in sorted(FIXTURES.glob("*/input/flow.py")) if _is_plain(path)]
    round_ = 0
    while True:
        for path in cases:
            case = path.parents[1].name
            yield f"{case}_{round_}", _repeated(path.read_text("utf-8"), f"{case}_{round_}")
        round_ += 1


def _is_plain(path: Path) -> bool:
    """Whether a case is one file that compiles, with workflows that are marked in it."""
    alone = len([one for one in path.parent.rglob("*") if one.is_file()]) == 1
    return alone and not path.parents[1].name.startswith("refused_") and bool(_workflows(_tree(path)))


def _tree(path: Path) -> ast.Module:
    try:
        return ast.parse(path.read_text("utf-8"))
    except (SyntaxError, UnicodeError, RecursionError, MemoryError):
        return ast.Module([], [])


def _workflows(tree: ast.Module) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [
        node
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and _mark(node) is not None
    ]


def _mark(node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.expr | None:
    for decorator in node.decorator_list:
        target = decorator.func if isinstance(decorator, ast.Call) else decorator
        if getattr(target, "id", getattr(target, "attr", "")) == "workflow":
            return decorator
    return None


def _repeated(text: str, prefix: str) -> str:
    """The text with unique names of workflows, and two copies of each at the end."""
    lines = text.splitlines(keepends=True)
    tail: list[str] = []
    for node in _workflows(ast.parse(text)):
        mark = _mark(node)
        assert mark is not None
        target = ast.unparse(mark.func if isinstance(mark, ast.Call) else mark)
        body = "".join(lines[node.lineno : node.end_lineno])
        head = lines[node.lineno - 1]
        for copy in ("second", "third"):
            name = f"{node.name}_{copy}"
            tail += ["\n\n", f'@{target}(name="{prefix}_{name}")\n', head.replace(node.name, name, 1), body]
        lines[mark.lineno - 1 : mark.end_lineno] = [f'@{target}(name="{prefix}_{node.name}")\n'] + ["\n"] * (
            (mark.end_lineno or mark.lineno) - mark.lineno
        )
    return "".join(lines) + "".join(tail)
