"""The lock's data: every id that a build gave away, what its call looked like, and since which build."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import unquote

from flopod.workflow.paths import encode_id, op_of
from flopod_compiler.sites import FOR_EACH, Shape


@dataclass(frozen=True, slots=True)
class Entry:
    """One id: its path inside its function (`lines[*]/price`), and the generations that touched it.

    It appeared with `since`, looks otherwise since `changed`, stands elsewhere since `moved`; `gone` is
    the generation that has no such call any more, and its id is never given to another one.
    """

    path: str
    shape: Shape
    since: str
    changed: str = ""
    moved: str = ""
    gone: str = ""

    @property
    def scope(self) -> str:
        """The path of the scope that the id lives in, "" for the function's own."""
        return self.path.rpartition("/")[0]

    @property
    def id(self) -> str:
        """The id as the emitted code has it: a path has its reserved characters encoded."""
        return unquote(self.path.rpartition("/")[2].removesuffix("[*]"))

    @property
    def calls(self) -> str:
        """The path of what is called: of a `for_each` that of an item, which is in the scope of its key."""
        return f"{self.path}/{encode_id(op_of(self.id))}" if self.shape.kind == FOR_EACH else self.path

    @property
    def levels(self) -> int:
        """How many loops stand around the call."""
        return self.scope.count("[*]")


@dataclass(frozen=True, slots=True)
class Generation:
    """A build that changed the lock, and the generations it came after (several after a merge)."""

    id: str
    build: str
    after: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Move:
    """Since `generation`, what a workflow recorded at the pattern `old` belongs to `new`."""

    workflow: str
    old: str
    new: str
    generation: str


@dataclass(frozen=True, slots=True)
class Renamed:
    """Since `generation` the parameter `old` of a workflow is called `new`."""

    workflow: str
    old: str
    new: str
    generation: str


@dataclass(slots=True)
class Lock:
    """A lock file. `functions` maps `module:qualname` to its entries in the order of the source.

    `parameters` maps a workflow to its parameters with their annotations, as its signature has them.
    """

    generations: list[Generation] = field(default_factory=list)
    workflows: dict[str, str] = field(default_factory=dict)
    functions: dict[str, list[Entry]] = field(default_factory=dict)
    moves: list[Move] = field(default_factory=list)
    parameters: dict[str, list[str]] = field(default_factory=dict)
    renamed: list[Renamed] = field(default_factory=list)

    @property
    def heads(self) -> tuple[str, ...]:
        """The generations that no other one comes after."""
        passed = {one for generation in self.generations for one in generation.after}
        return tuple(sorted(one.id for one in self.generations if one.id not in passed))

    def live(self, function: str) -> list[Entry]:
        return [entry for entry in self.functions.get(function, ()) if not entry.gone]
