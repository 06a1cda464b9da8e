"""What the compiler reads off the intermediate representation: paths and waits, and so the manifest.

The structs themselves are in `flopod.ir`, where tools read them back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from flopod.ir import (
    CALLING,
    Beside,
    Branch,
    Exit,
    Function,
    Loop,
    Node,
    Operation,
    Parallel,
    Try,
    Variable,
    children,
)
from flopod.manifest import PathEntry, WaitEntry
from flopod.workflow.paths import encode_id, op_of

__all__ = [
    "CALLING",
    "Beside",
    "Branch",
    "Exit",
    "Function",
    "Loop",
    "Node",
    "Operation",
    "Parallel",
    "Try",
    "Variable",
    "children",
    "paths",
    "waits",
    "without_exits",
]


def paths(root: Function, functions: dict[str, Function]) -> Iterator[tuple[PathEntry, Operation | None]]:
    """Every path pattern that `root` can record, called functions included; recursion ends in `**`."""
    yield from _paths(root.body, "", root, functions, (root,))


def _paths(
    block: list[Node],
    prefix: str,
    here: Function,
    functions: dict[str, Function],
    stack: tuple[Function, ...],
) -> Iterator[tuple[PathEntry, Operation | None]]:
    for node in block:
        match node:
            case Operation():
                yield from _operation(node, prefix + encode_id(node.id), here, functions, stack)
            case Branch():
                yield PathEntry(prefix + encode_id(node.id), "branch", "", here.file, node.line), None
            case Loop():
                yield PathEntry(f"{prefix}{encode_id(node.id)}[*]", node.kind, "", here.file, node.line), None
            case Variable():
                yield PathEntry(prefix + encode_id(node.id), node.form, "", here.file, node.line), None
            case _:
                pass
        for segment, inner in children(node):
            yield from _paths(inner, prefix + segment, here, functions, stack)


def _operation(
    node: Operation, path: str, here: Function, functions: dict[str, Function], stack: tuple[Function, ...]
) -> Iterator[tuple[PathEntry, Operation | None]]:
    """The path of an operation, and those of what it calls; of several items, under the key of each."""
    yield PathEntry(path, node.kind, node.callee, here.file, node.line), node
    if node.kind == "for_each":
        yield PathEntry(f"{path}[*]", node.kind, node.callee, here.file, node.line), None
        path = f"{path}[*]/{encode_id(op_of(node.id))}"
        yield PathEntry(path, "work", node.callee, here.file, node.line), None
    if node.undo:
        yield PathEntry(f"{path}/undo", "compensate", node.undo, here.file, node.line), None
    if node.kind in CALLING:
        yield from _called(node, path, here, functions, stack)


def _called(
    node: Operation, path: str, here: Function, functions: dict[str, Function], stack: tuple[Function, ...]
) -> Iterator[tuple[PathEntry, Operation | None]]:
    """The paths inside a called function, or inside each of those that a call may reach."""
    for callee in node.callee.split(" | "):
        called = functions.get(callee)
        if called is not None and called in stack:
            yield (
                PathEntry(f"{path}/**", "recursion", callee, here.file, node.line),
                None,
            )
        elif called is not None:
            yield from _paths(called.body, f"{path}/", called, functions, (*stack, called))


def waits(
    found: Iterable[tuple[PathEntry, Operation | None]], functions: dict[str, Function]
) -> Iterator[WaitEntry]:
    """The places at which a workflow can wait, from its paths; in a recursion they are at any depth."""
    for entry, operation in found:
        yield from _wait("", entry, operation)
        if entry.kind == "recursion":
            for inner, repeated in paths(functions[entry.callee], functions):
                yield from _wait(f"{entry.path}/", inner, repeated)


def _wait(prefix: str, entry: PathEntry, operation: Operation | None) -> Iterator[WaitEntry]:
    if operation is not None and operation.kind == "wait":
        yield WaitEntry(prefix + entry.path, operation.event, operation.type, operation.module)


def without_exits(block: list[Node]) -> list[Node]:
    """A block as a part of one that may go on after it: under a condition that is not recorded."""
    return [node for node in block if not isinstance(node, Exit)]
