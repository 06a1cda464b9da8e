"""The manifest of a build: what the compiler tells the runtime, and what tools read beside a bundle."""

from __future__ import annotations

from typing import Any

import msgspec

FORMAT = 1


COMPUTED = "*"


class WaitEntry(msgspec.Struct, frozen=True, omit_defaults=True):
    """A place where a workflow can wait for an event.

    `path` is a pattern (`lines[*]/approved`); `event` is COMPUTED if the code computes its name; `type`
    is the source of the payload's type expression, to be evaluated in the globals of `module` ("" means
    any payload).
    """

    path: str
    event: str
    type: str = ""
    module: str = ""


class PathEntry(msgspec.Struct, frozen=True, omit_defaults=True):
    """A path pattern that the compiled code can produce, and the author's line it comes from."""

    path: str
    kind: str
    callee: str = ""
    file: str = ""
    line: int = 0


class Parameter(msgspec.Struct, frozen=True, omit_defaults=True):
    """A parameter of a workflow; `kind` is the name of an `inspect.Parameter` kind."""

    name: str
    kind: str = "POSITIONAL_OR_KEYWORD"
    required: bool = True


class Edit(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the lock knows about a path pattern: the generations that brought, changed, moved or ended it.

    Without `since` it is as old as the lock. `again` says that a call that says the same ended when this one
    came, and nothing tells whether it is that one.
    """

    path: str
    since: str = ""
    changed: str = ""
    moved: str = ""
    gone: str = ""
    again: bool = False


class Moved(msgspec.Struct, frozen=True, omit_defaults=True):
    """What was recorded at the pattern `old`, or for that parameter, before `generation` belongs to `new`."""

    old: str
    new: str
    generation: str


class WorkflowEntry(msgspec.Struct, frozen=True, omit_defaults=True):
    """A workflow that can be started by name."""

    name: str
    module: str
    function: str
    sync: bool = False
    version: str = ""
    queue: str = ""
    parameters: list[Parameter] = []
    paths: list[PathEntry] = []
    waits: list[WaitEntry] = []
    edits: list[Edit] = []
    moves: list[Moved] = []
    renamed: list[Moved] = []


class Manifest(msgspec.Struct, frozen=True, omit_defaults=True):
    """Everything about a build except its code; `build` names it in the log of each run.

    `generation` is the state of flopod.lock that it was made with, "" without one; `generations` maps all
    that the lock knows to those they came after. `hooks` is where the hooks of its runs are, `module:object`.
    """

    build: str
    name: str
    workflows: dict[str, WorkflowEntry]
    format: int = FORMAT
    compiler: str = ""
    hooks: str = ""
    sources: dict[str, str] = {}
    lines: dict[str, list[int]] = {}
    ir: dict[str, Any] = {}
    graph: dict[str, Any] = {}
    generation: str = ""
    generations: dict[str, list[str]] = {}
