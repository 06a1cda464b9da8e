"""Which code a run is of: a workflow of the registry, or a detached function, called by its driver."""

import functools
import inspect
from collections.abc import Awaitable, Callable
from typing import Any

from msgspec import Raw
from msgspec.structs import replace

from flopod.callee import callee_of
from flopod.detach.driver import Child, Driver
from flopod.detach.handle import checked
from flopod.detach.inprocess import is_standard
from flopod.detach.references import child_found, driver_found
from flopod.detach.running import takes_input
from flopod.engine.call import returned_type
from flopod.engine.registry import Program, Registry
from flopod.errors import BuildMismatch, FlopodError, UnknownDetach, UnknownWorkflow, Unsupported
from flopod.events import Detached, RunStarted, RunSummary
from flopod.options import ActivityOptions, options_of
from flopod.workflow.children import Offspring, nobody_runs_children
from flopod.workflow.detaching import Given
from flopod.workflow.inputs import recorded_call
from flopod.workflow.scope import Scope

RunBeside = Callable[..., Awaitable[Any]]
"""`(parent, name, input)`: runs a workflow as a child of the run `parent`, and gives its result."""


class Programs:
    """The programs of a registry, and of what was detached.

    `given` holds what cannot be found by name, by the run ids of the work: that is known to this process
    alone. `run_beside` is set by who runs workflows.
    """

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self.run_beside: RunBeside = _nobody_does
        self._given: dict[str, Given] = {}

    def of(self, started: RunStarted) -> Program:
        """Return the program of a run. Raises UnknownWorkflow."""
        try:
            return self.registry.program(started.workflow)
        except UnknownWorkflow:
            if not started.driver or ":" not in started.workflow:
                raise
            return self._driven(started)

    def opening(self, run_id: str, workflow: str, input: Raw, at: int, *, driven: bool = False) -> RunStarted:
        """Make the first event of a run. Raises UnknownWorkflow."""
        if driven and ":" in workflow:
            return self.registry.identify(run_id, workflow).started(at, input)
        try:
            return self.registry.program(workflow).identify(run_id).started(at, input)
        except UnknownWorkflow as error:
            if error.known:
                raise
            return nobody_runs_children(run_id, workflow, input, at)

    def adopt(self, offspring: Offspring) -> None:
        """Tell the children of a run what there is to run, and how it begins."""
        offspring.opening = self.opening
        offspring.returns = self.returns
        offspring.name_of = self.registry.name_of

    def returns(self, workflow: str) -> Any:
        """Return what a workflow returns, by its annotation; None if nobody knows."""
        try:
            return returned_type(self.registry.program(workflow).fn)
        except FlopodError:
            return None

    def give(self, detached: Detached, given: Given) -> bool:
        """Keep what a detach was given, where no name leads to it; returns whether it is kept."""
        is_named = ":" not in detached.workflow or _is(child_found(detached.workflow), given.child)
        if is_named and driver_found(detached.driver) is not None:
            return False
        self._given[detached.child] = given
        return True

    def forget(self, run_id: str) -> None:
        """Let go of what the detach of a run was given: it is over."""
        self._given.pop(run_id, None)

    def due(self, run: RunSummary) -> int:
        """Return when a run may begin at the earliest (ms since the epoch): its driver may have a delay."""
        driver = driver_found(run.driver) if run.driver and run.status == "pending" else None
        return run.started_at + round(driver.delay * 1000) if is_standard(driver) else 0

    def _driven(self, started: RunStarted) -> Program:
        """The program of a detached function: one leaf, which its driver calls."""
        driver, child = self._given.get(started.run_id) or self._found(started)
        leaf = child if is_standard(driver) else self._handed_over(driver, child, started)
        op, leaf = _known_as(leaf, started.workflow)

        async def body(wf: Scope, *args: Any, **kwargs: Any) -> Any:
            return await wf.activity(op, leaf, *args, **kwargs)

        return Program(body, lambda run_id: self.registry.identify(run_id, started.workflow))

    def _handed_over(self, driver: Driver, child: Child, started: RunStarted) -> Child:
        name = self.registry.name_of(child)
        if name is None:
            return _leaf(driver, child, started)
        beside = functools.partial(self.run_beside, started.run_id, name)
        if not takes_input(child, scoped=True):
            beside.__signature__ = inspect.Signature()  # type: ignore[attr-defined]
        return _leaf(driver, beside, started)

    def _found(self, started: RunStarted) -> Given:
        self.registry.load()
        child, driver = child_found(started.workflow), driver_found(started.driver)
        if child is None or driver is None:
            raise UnknownDetach(started.run_id, started.workflow if child is None else started.driver)
        build = self.registry.identify(started.run_id, started.workflow).build
        why = self._misfit(started, driver, child) if build != started.build else ""
        if why:
            raise BuildMismatch(started.run_id, started.build or "(none)", build or "(none)", why)
        return Given(driver, child)

    def _misfit(self, started: RunStarted, driver: Driver, child: Child) -> str:
        """Say why the function that another build has detached is not this one, "" if it is."""
        is_workflow = self.registry.name_of(child) is not None
        if is_workflow:
            return f"{started.workflow!r} is a workflow in this build" if is_standard(driver) else ""
        try:
            signature = inspect.signature(child)
        except (TypeError, ValueError):
            return ""
        args, kwargs = recorded_call(started.input)
        try:
            signature.bind(*args, **kwargs)
        except TypeError as error:
            return f"{started.workflow!r} does not take what was detached with it: {error}"
        return ""


def _leaf(driver: Driver, child: Child, started: RunStarted) -> Child:
    """The leaf that hands a child to its driver; it has the options of the child."""
    options = options_of(child)
    called = options.fn if driver.capabilities.in_process else child

    async def leaf(*args: Any) -> Any:
        return await checked(driver.schedule(called, args[0] if args else None, started.detach)).wait()

    rides = options if driver.capabilities.in_process else ActivityOptions(leaf)
    return _called(leaf, started.workflow, rides)


def _known_as(leaf: Child, name: str) -> tuple[str, Child]:
    """The id of a leaf, and what it is in the log, by the name that it was detached with.

    Both stay when an edit renames or moves the function: its run goes on.
    """
    op, options = name.strip("<>").rpartition(":")[2].rpartition(".")[2], options_of(leaf)
    is_known = callee_of(options.fn) == name.strip("<>")
    return op, leaf if is_known else _called(_like(options.fn), name, options)


def _called(fn: Child, name: str, options: ActivityOptions) -> Child:
    """Let a function of our own stand in the log by the name of another, with these options."""
    fn.__module__, _, fn.__qualname__ = name.strip("<>").partition(":")
    fn.__name__ = fn.__qualname__.rpartition(".")[2]
    fn.__flopod_activity__ = replace(options, fn=fn)  # type: ignore[attr-defined]
    return fn


def _like(fn: Child) -> Child:
    """Another function that does the same, to be called something else."""

    async def awaited(*args: Any, **kwargs: Any) -> Any:
        return await fn(*args, **kwargs)

    def plain(*args: Any, **kwargs: Any) -> Any:
        return fn(*args, **kwargs)

    return awaited if inspect.iscoroutinefunction(fn) else plain


def _is(found: Child | None, given: Child) -> bool:
    """Whether it is the same function, perhaps with other options."""
    return found is not None and options_of(found).fn is options_of(given).fn


async def _nobody_does(parent: str, workflow: str, input: Any) -> Any:
    del input
    raise Unsupported(f"nothing here runs the workflow {workflow!r} beside {parent!r}")
