"""Trees whose calls and loops carry a mark: the same call before and after an edit has the same mark."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass

from tests.edits.programs import FLOW, SERVICES, WORKFLOW, Program, written

Function = ast.FunctionDef | ast.AsyncFunctionDef
MARKED = (ast.Call, ast.For, ast.While, ast.comprehension)
MARK = "mark"
Place = tuple[str, int, int]


def mark(program: Program) -> Program:
    """The program with a mark on every call and loop of its workflow module."""
    for number, node in enumerate(marked(program.trees[program.flow])):
        setattr(node, MARK, number)
    return program


def marked(tree: ast.AST) -> Iterator[ast.AST]:
    """The nodes that can have a mark, in one fixed order."""
    return (node for node in ast.walk(tree) if isinstance(node, MARKED))


def mark_new(program: Program) -> None:
    """Give marks of their own to the calls that an edit brought, so that the id of another one shows."""
    for tree in program.trees.values():
        for number, node in enumerate(marked(tree)):
            if isinstance(node, ast.Call) and not hasattr(node, MARK):
                setattr(node, MARK, -1 - number)


def unmark(node: ast.AST) -> None:
    """These are other calls now."""
    for one in ast.walk(node):
        if hasattr(one, MARK):
            delattr(one, MARK)


def places(program: Program) -> dict[Place, int]:
    """The mark at each place of the written text: module, line and column of the call or loop.

    A clause of a comprehension stands where its target does.
    """
    found: dict[Place, int] = {}
    for name, tree in program.trees.items():
        again = ast.parse(written(tree))
        for node, same in zip(marked(tree), marked(again), strict=True):
            number = getattr(node, MARK, None)
            if number is not None:
                found[name, *position(same)] = number
    return found


def position(node: ast.AST) -> tuple[int, int]:
    """Line and end of a node: two calls of one chain begin at the same column."""
    at = node.target if isinstance(node, ast.comprehension) else node
    if isinstance(at, ast.For | ast.While):
        return at.lineno, at.col_offset
    return at.end_lineno or 0, at.end_col_offset or 0  # type: ignore[attr-defined]


@dataclass
class Block:
    """A list of statements inside the workflow, and how deep in loops it is."""

    body: list[ast.stmt]
    owner: ast.AST
    loops: int


class Draft:
    """A copy of a program being edited."""

    def __init__(self, program: Program) -> None:
        self.program = copy.deepcopy(program)

    @property
    def flow(self) -> ast.Module:
        return self.program.trees[self.program.flow]

    @property
    def services(self) -> ast.Module:
        return self.program.trees[SERVICES]

    @property
    def workflow(self) -> ast.AsyncFunctionDef:
        return self.function(WORKFLOW)

    def function(self, name: str) -> ast.AsyncFunctionDef:
        """A function at the top of the module with the workflow."""
        return next(
            node for node in self.flow.body if isinstance(node, ast.AsyncFunctionDef) and node.name == name
        )

    def blocks(self) -> list[Block]:
        """Every block of the workflow itself, its own first."""
        found: list[Block] = []
        _blocks(self.workflow, 0, found)
        return found

    def top(self) -> Block:
        return self.blocks()[0]

    def leaves(self) -> list[str]:
        return [node.name for node in self.services.body if isinstance(node, Function)]

    def add_leaf(self, stem: str, like: str = "int") -> str:
        """Define a new leaf, import it, and give its name."""
        name = self.fresh(stem)
        head = f"async def {name}(*args: object, **options: object) -> {like}:"
        self.services.body += ast.parse(f"{head}\n    await asyncio.sleep(0)\n    return 1").body
        self.imports(SERVICES).names.append(ast.alias(name))
        return name

    def imports(self, module: str) -> ast.ImportFrom:
        """The import of a module's names, added if it is not there."""
        for node in self.flow.body:
            if isinstance(node, ast.ImportFrom) and node.module == module:
                return node
        found = ast.ImportFrom(module, [], 0)
        self.flow.body.insert(2, found)
        return found

    def fresh(self, stem: str) -> str:
        """A name that nothing in the program has."""
        names = set(_words(self.flow)) | set(_words(self.services))
        name, number = stem, 2
        while name in names:
            name, number = f"{stem}{number}", number + 1
        return name

    def calls(self) -> list[ast.Call]:
        """The calls of leaves in the workflow, without those in functions nested in it."""
        leaves = set(self.leaves())
        return [
            node
            for node in walk_function(self.workflow)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in leaves
        ]


def _blocks(node: ast.AST, loops: int, found: list[Block]) -> None:
    for name, value in ast.iter_fields(node):
        if isinstance(value, list) and value and isinstance(value[0], ast.stmt):
            deeper = loops + (isinstance(node, ast.For | ast.While) and name == "body")
            found.append(Block(value, node, deeper))
            for statement in value:
                if not isinstance(statement, Function):
                    _blocks(statement, deeper, found)
        elif isinstance(value, list) and value and isinstance(value[0], ast.ExceptHandler | ast.match_case):
            for part in value:
                _blocks(part, loops, found)


def walk_function(function: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a function, without those of functions nested in it."""
    stack = [function]
    while stack:
        node = stack.pop(0)
        yield node
        stack = [child for child in ast.iter_child_nodes(node) if not isinstance(child, Function)] + stack


def _words(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        for field in ("id", "name", "arg", "attr", "module", "asname"):
            word = getattr(node, field, None)
            if isinstance(word, str):
                yield word


def bound(node: ast.AST) -> set[str]:
    """The names that a statement binds."""
    found = {
        one.id for one in ast.walk(node) if isinstance(one, ast.Name) and not isinstance(one.ctx, ast.Load)
    }
    return found | {one.name for one in ast.walk(node) if isinstance(one, Function)}


def used(node: ast.AST) -> set[str]:
    """The names that a statement reads."""
    return {one.id for one in ast.walk(node) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Load)}


def has_calls(node: ast.AST) -> bool:
    return any(isinstance(one, ast.Await) for one in ast.walk(node))


def rename(tree: ast.AST, old: str, new: str) -> None:
    """Give a name another one, wherever it stands."""
    for node in ast.walk(tree):
        for field in ("id", "arg", "name"):
            if getattr(node, field, None) == old and not isinstance(node, ast.keyword):
                setattr(node, field, new)


__all__ = ["FLOW", "Block", "Draft", "Function", "mark", "places"]
