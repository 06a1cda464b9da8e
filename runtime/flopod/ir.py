"""The durable skeleton of workflow functions as a tree of blocks: what the compiler writes into a manifest.

It says what the emitted code can record, in the author's order, and in a few words what is decided there.
The compiler fills it in; the graph is drawn from it.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from flopod.manifest import Manifest
from flopod.workflow.paths import encode_id

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
    `beside` is set if it does not run in the main line. `given` is the source of its arguments, shortened.
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
    given: str = ""


class Loop(msgspec.Struct, tag="loop", tag_field="node", omit_defaults=True):
    """A durable loop, `kind` each or repeat; `keep` None means that it is replayed, never restored.

    `header` is its source, shortened: `for line in order.lines`.
    """

    kind: str
    id: str
    line: int
    body: list[Node]
    orelse: list[Node] = []
    keep: list[str] | None = None
    header: str = ""


class Branch(msgspec.Struct, tag="branch", tag_field="node", omit_defaults=True):
    """A recorded decision and its arms.

    `test` is the source of what decides, shortened; `words` say when each arm is taken: yes and no, or the
    words that are recorded for the arms of a `match`, "" for that of what matches none of them.
    """

    id: str
    line: int
    arms: list[list[Node]]
    test: str = ""
    words: list[str] = []


class Parallel(msgspec.Struct, tag="parallel", tag_field="node", omit_defaults=True):
    """Arms that run side by side, `kind` all, race or timeout: until all or the first of them have ended.

    Arms of kind `one` are definitions of one function, of which the code has bound one.
    """

    line: int
    arms: list[list[Node]]
    kind: str = "all"


class Try(msgspec.Struct, tag="try", tag_field="node", omit_defaults=True):
    """A guarded block with its handlers; `catches` are the headers of these, `except KeyError as error`."""

    line: int
    body: list[Node]
    handlers: list[list[Node]] = []
    orelse: list[Node] = []
    final: list[Node] = []
    catches: list[str] = []


class Exit(msgspec.Struct, tag="exit", tag_field="node", omit_defaults=True):
    """The end of a block by `kind` return, raise, break or continue; `what` is the source of an error."""

    kind: str
    line: int
    what: str = ""


class Variable(msgspec.Struct, tag="variable", tag_field="node", omit_defaults=True):
    """Carried state made visible: `form` is var, list or map."""

    form: str
    id: str
    line: int


Node = Operation | Loop | Branch | Parallel | Try | Exit | Variable


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


def functions_of(manifest: Manifest) -> dict[str, Function]:
    """The functions of a build by `module:qualname`. What an older build did not write down is empty."""
    return msgspec.convert(manifest.ir, dict[str, Function])
