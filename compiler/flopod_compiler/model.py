"""The typed data that the passes hand on: sources, symbols, classified calls, lowered modules."""

from __future__ import annotations

import ast
import hashlib
import warnings
from dataclasses import dataclass, field, fields
from enum import Enum
from pathlib import Path

import msgspec

from flopod_compiler.diagnostics import Diagnostic, Span

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Config:
    """What `[tool.flopod]` in the project's pyproject.toml says."""

    workflows: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    pure: tuple[str, ...] = ()
    leaves: tuple[str, ...] = ()
    hooks: str = ""


class Imported(msgspec.Struct, frozen=True, array_like=True):
    """An import that a bundle has to fulfil: `names` are what a `from` import takes out of the module.

    It is `optional` when the source copes with its absence.
    """

    name: str
    names: tuple[str, ...]
    where: Span
    optional: bool


@dataclass(eq=False, slots=True)
class SourceModule:
    """One Python file below the source root; `relpath` is posix, relative to the root.

    The tree and the imports are made when they are asked for, if they are not known.
    """

    name: str
    path: Path
    relpath: str
    is_package: bool
    text: str
    parsed: ast.Module | None = None
    imports: tuple[Imported, ...] | None = None
    _version: str = ""

    @property
    def tree(self) -> ast.Module:
        """The syntax tree, parsed when it is first asked for."""
        if self.parsed is None:
            self.parsed = _parsed(self.text, self.relpath)
        return self.parsed

    @property
    def digest(self) -> str:
        """The SHA-256 of the text."""
        return hashlib.sha256(self.text.encode("utf-8", "surrogatepass")).hexdigest()

    @property
    def version(self) -> str:
        """Names the module as it is: what is found out about it by itself follows from its version."""
        if not self._version:
            self._version = f"{self.digest} {self.relpath}"
        return self._version


def _parsed(text: str, relpath: str) -> ast.Module:
    """The tree of a text that has been parsed before.

    The parser counts the frames below it as nesting. Where these are too many, it gets a thread of its own.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text, filename=relpath)
    except RecursionError:
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(1) as thread:
            return thread.submit(ast.parse, text, filename=relpath).result()


@dataclass(eq=False, slots=True)
class Project:
    """Every module below the source root, by dotted name, in sorted order.

    `diagnostics` says what is wrong with files and configuration; `texts` holds, by relative path, the
    text of files that could be read but not parsed, and of the configuration.
    """

    root: Path
    name: str
    config: Config
    modules: dict[str, SourceModule]
    diagnostics: list[Diagnostic] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)
    config_path: str = "pyproject.toml"


# --- symbols: what a name or an attribute chain means -------------------------------------------


@dataclass(frozen=True, slots=True)
class External:
    """A name outside the project, by its qualified name: `asyncio.gather`, `builtins.len`."""

    qualified: str


@dataclass(frozen=True, slots=True)
class ProjectModule:
    name: str


@dataclass(frozen=True, slots=True, eq=False)
class ProjectFunction:
    """A function or method of the project; `owner` is the class of a method."""

    module: str
    qualname: str
    node: FunctionNode
    owner: ProjectClass | None = None

    @property
    def is_async(self) -> bool:
        return isinstance(self.node, ast.AsyncFunctionDef)

    @property
    def place(self) -> str:
        """Names the function among all of the project: of one name there may be several."""
        return f"{self.module}:{self.qualname}:{self.node.lineno}"


@dataclass(frozen=True, slots=True, eq=False)
class ProjectClass:
    module: str
    qualname: str
    node: ast.ClassDef


@dataclass(frozen=True, slots=True, eq=False)
class ModuleValue:
    """A module-level variable of a project module; `value` is what it is assigned, if once."""

    module: str
    name: str
    value: ast.expr | None


@dataclass(frozen=True, slots=True)
class Local:
    """A parameter or local variable of an enclosing function."""

    name: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """A target that cannot be known, with the reason in words."""

    reason: str


Symbol = External | ProjectModule | ProjectFunction | ProjectClass | ModuleValue | Local | Unknown


# --- classification: what a call is (design 3) ----------------------------------------------------


class CallKind(Enum):
    WORKFLOW = "workflow"
    PRIMITIVE = "primitive"
    IDIOM = "idiom"
    PURE = "pure"
    RECORDABLE = "recordable"
    LEAF = "leaf"
    OUTPUT = "output"
    UNRESOLVED = "unresolved"


DURABLE_KINDS = frozenset(
    {CallKind.WORKFLOW, CallKind.PRIMITIVE, CallKind.IDIOM, CallKind.LEAF, CallKind.RECORDABLE}
)
"""Kinds of calls that need the run: a function with one of them takes a scope of its own."""


@dataclass(frozen=True, slots=True)
class CallInfo:
    """What one call expression is.

    `name` is the op of its id: the leaf's declared name, the workflow's, the primitive's.
    `callee` is the qualified name for the manifest. `is_async` says whether calling it gives an
    awaitable (None: unknown, then the author's own `await` decides). `mutates` names what a pure
    call may change in place: argument positions, keyword names, "self" for the receiver, "*" for
    anything it can reach. `choices` are the symbols of a call that may reach one of several.
    `holder` names the class by which a method is called that changes its object, `type` for the object's own.
    `maps` says that the call is `map(f, ...)`, spread over a gather, and all else speaks of the calls of `f`.
    `undo` is the qualified name of what undoes a leaf. `scoped` says that the function which a side chain is
    given takes a scope.
    """

    kind: CallKind
    name: str
    callee: str
    target: Symbol
    is_async: bool | None = False
    mutates: frozenset[int | str] = frozenset()
    reason: str = ""
    choices: tuple[Symbol, ...] = ()
    holder: str = ""
    maps: bool = False
    undo: str = ""
    scoped: bool = False

    @property
    def targets(self) -> tuple[Symbol, ...]:
        """Everything that the call may reach."""
        return self.choices or (self.target,)

    @property
    def is_sync(self) -> bool:
        """Whether the call is of a plain function with a scope: its compiled form is async, its result is not
        awaited by that, and may be a coroutine in turn.
        """
        return self.kind is CallKind.WORKFLOW and any(
            isinstance(one, ProjectFunction) and not one.is_async for one in self.targets
        )


@dataclass(eq=False, slots=True)
class WorkflowFunction:
    """A marked or listed workflow, or a function nested inside one (`parent` is set then).

    `durable` says whether its body holds a durable operation: a nested function without one stays
    the plain Python it was.
    """

    module: SourceModule
    node: FunctionNode
    qualname: str
    name: str
    parent: WorkflowFunction | None
    options: dict[str, object]
    durable: bool = True

    @property
    def place(self) -> str:
        """Names the function as its symbol does."""
        return f"{self.module.name}:{self.qualname}:{self.node.lineno}"


@dataclass(eq=False, slots=True)
class Classified:
    """The result of the front end: every call inside a workflow body, by its node; of one module, or of all.

    `constants` holds the loads of module-level values that are recorded once a run, with their id
    (`shop.settings.LIMITS`). `workflows` holds the roots in source order, `functions` the roots
    and the functions nested in them. `immutable` holds expressions and parameters (`ast.arg`)
    whose value is known to be immutable, `living` those that hold tasks, locks and the like, which no
    snapshot can hold; `passing` the `async with` blocks whose managers let every exception pass.
    `payload` maps a `wait_for` call to its type expression.
    `changes` holds what is changed where no call is written: by an operator, a property, a `with`.
    `iterators` holds the calls that may give an iterator, which goes on where it was left. `called` holds
    those of the functions that a workflow calls in its own run, `runs` the places of what is so called here.
    """

    workflows: list[WorkflowFunction]
    functions: dict[FunctionNode, WorkflowFunction]
    calls: dict[ast.Call, CallInfo]
    constants: dict[ast.expr, str]
    immutable: set[ast.AST] = field(default_factory=set)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    payload: dict[ast.Call, ast.expr] = field(default_factory=dict)
    changes: dict[ast.AST, list[ast.expr]] = field(default_factory=dict)
    iterators: set[ast.Call] = field(default_factory=set)
    living: set[ast.AST] = field(default_factory=set)
    passing: set[ast.AST] = field(default_factory=set)
    called: set[FunctionNode] = field(default_factory=set)
    runs: set[str] = field(default_factory=set)

    def add(self, other: Classified) -> None:
        """Take in what was classified elsewhere."""
        for name in (one.name for one in fields(Classified)):
            mine, theirs = getattr(self, name), getattr(other, name)
            mine.extend(theirs) if isinstance(mine, list) else mine.update(theirs)


@dataclass(eq=False, slots=True, kw_only=True)
class ClassifiedProject(Classified):
    """What all modules of a project hold; `reachable` are those that a workflow imports, directly or not."""

    project: Project
    reachable: set[str] = field(default_factory=set)


@dataclass(eq=False, slots=True)
class Lowered:
    """A module with compiled workflows: its emitted text and, per emitted line, the author's line."""

    module: SourceModule
    text: str
    line_map: list[int]
