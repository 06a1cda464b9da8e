"""The intermediate representation: the durable skeleton of each workflow function as a tree of blocks.

It says what the emitted code can record, in the author's order, and nothing of expressions: those
stay Python. Paths, waits, the manifest and the graph are read off it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from flopod.manifest import PathEntry, WaitEntry
from flopod.workflow.paths import encode_id, op_of

CALLING = frozenset({"call", "work", "for_each", "tap"})
"""Kinds of operations whose callee, if it is a workflow function, runs in the same run below their path."""


class Beside(msgspec.Struct):
    """How an operation runs beside the main line: the node that it is in the graph.

    `kind` is detach or work, `mode` join or forget; `driver` is the source of what drives it.
    """

    kind: str
    label: str
    mode: str = "join"
    description: str = ""
    driver: str = ""


class Operation(msgspec.Struct, tag="operation", tag_field="node", omit_defaults=True):
    """One durable operation: `kind` is the primitive, `callee` what it runs, `event` what it waits for.

    `type` is the source of a payload's type, in the words of `module`; `undo` is what undoes a leaf.
    `beside` is set if it does not run in the main line.
    """

    kind: str
    id: str
    line: int
    callee: str = ""
    event: str = ""
    type: str = ""
    module: str = ""
    undo: str = ""
    beside: Beside | None = None


class Loop(msgspec.Struct, tag="loop", tag_field="node", omit_defaults=True):
    """A durable loop, `kind` each or repeat; `keep` None means that it is replayed, never restored."""

    kind: str
    id: str
    line: int
    body: list[Node]
    orelse: list[Node] = []
    keep: list[str] | None = None


class Branch(msgspec.Struct, tag="branch", tag_field="node", omit_defaults=True):
    """A recorded decision and its arms."""

    id: str
    line: int
    arms: list[list[Node]]


class Parallel(msgspec.Struct, tag="parallel", tag_field="node", omit_defaults=True):
    """Arms that run side by side."""

    line: int
    arms: list[list[Node]]


class Try(msgspec.Struct, tag="try", tag_field="node", omit_defaults=True):
    """A guarded block with its handlers."""

    line: int
    body: list[Node]
    handlers: list[list[Node]] = []
    orelse: list[Node] = []
    final: list[Node] = []


class Variable(msgspec.Struct, tag="variable", tag_field="node", omit_defaults=True):
    """Carried state made visible: `form` is var, list or map."""

    form: str
    id: str
    line: int


Node = Operation | Loop | Branch | Parallel | Try | Variable


class Function(msgspec.Struct, omit_defaults=True):
    """A workflow function, or one nested in it, by its qualified name in its module."""

    module: str
    qualname: str
    file: str
    line: int
    body: list[Node]


def children(node: Node) -> Iterator[tuple[str, list[Node]]]:
    """The blocks inside a node, each with the path segment it adds ("" for none)."""
    match node:
        case Loop():
            yield f"{encode_id(node.id)}[*]/", node.body
            yield "", node.orelse
        case Branch() | Parallel():
            yield from (("", arm) for arm in node.arms)
        case Try():
            yield "", node.body
            yield from (("", handler) for handler in node.handlers)
            yield "", node.orelse
            yield "", node.final
        case _:
            return


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
