"""Side chains of a run: work as tasks of its own loop, so that the calls inside are what makes it durable."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, cast

from msgspec import Raw

from flopod import codec
from flopod.background import Drained, Job, Pool
from flopod.blocks import NOTHING, all_given, given, name_of, told_failure
from flopod.durations import seconds
from flopod.errors import SerializableError
from flopod.events import StepError
from flopod.workflow.activity import Activity
from flopod.workflow.arguments import opened
from flopod.workflow.commands import CallLogger
from flopod.workflow.paths import encode_id, op_of
from flopod.workflow.timer import Timer
from flopod.workflow.tracebacks import author_traceback

if TYPE_CHECKING:
    from flopod.workflow.core import Core
    from flopod.workflow.scope import Scope

T = TypeVar("T")
V = TypeVar("V", bound=Iterable[Any])


class SideChains:
    """The part of a scope that queues work beside the main line."""

    __slots__ = ()

    def work(
        self,
        id: str,
        block: Callable[..., Any],
        value: T,
        /,
        *,
        connector: Callable[[T], Any] | None = None,
        when: bool | Callable[[T], bool] = True,
        name: str | None = None,
        workflow: bool = False,
    ) -> T:
        """Queue `block(connector(value))` in the background, and return `value` at once: `flopod.work`.

        The block is a leaf or, with `workflow`, an `async def block(wf, value)`.
        """
        scope, path = self._claimed(id)
        if not scope.core.fenced:
            wanted = given("work", block, value, connector, when)
            if wanted is not NOTHING:
                pool_of(scope).queue([_job(scope, path, block, wanted, name, workflow)])
        return value

    def for_each(
        self,
        id: str,
        block: Callable[..., Any],
        values: V,
        /,
        *,
        connector: Callable[[Any], Any] | None = None,
        when: bool | Callable[[V], bool] = True,
        concurrency: int = 16,
        name: str | None = None,
        workflow: bool = False,
    ) -> V:
        """Queue each value as `work` does, `concurrency` at once, and return `values`: `flopod.for_each`.

        That of position `i` is called in a scope at `path[i]`.
        """
        scope, path = self._claimed(id)
        if not scope.core.fenced:
            wanted = all_given("for_each", block, values, connector, when, concurrency)
            places = [f"{path}[{index}]" for index in range(len(wanted))]
            jobs = [
                _job(scope.iteration(place), f"{place}/{op_of(encode_id(id))}", block, one, name, workflow)
                for place, one in zip(places, wanted, strict=True)
            ]
            pool_of(scope).queue(jobs, concurrency)
        return values

    def tap(
        self,
        id: str,
        block: Callable[..., Any],
        value: T,
        /,
        *,
        name: str | None = None,  # noqa: ARG002 - it is for the graph
        workflow: bool = False,
    ) -> Coroutine[Any, Any, T]:
        """Run `block(value)` here and now, and return `value`: `flopod.tap`."""
        return _tap(*self._claimed(id), block, value, workflow)

    def wait_for_work(
        self, id: str, /, *, fail_on_error: bool = False, timeout: Any = None
    ) -> Coroutine[Any, Any, Drained]:
        """Wait for the work of this function, that of its loops included: `flopod.wait_for_work`."""
        return _wait(*self._claimed(id), fail_on_error, timeout)

    def _claimed(self, id: str) -> "tuple[Scope, str]":
        return cast("Scope", self), self.claim(id)

    def claim(self, id: str) -> str:
        raise NotImplementedError


async def _tap(scope: "Scope", path: str, block: Callable[..., Any], value: T, workflow: bool) -> T:
    fn, args, kwargs = opened(block, (value,), {})
    if workflow:
        await fn(scope.called(path, fn), *args, **kwargs)
    else:
        await _leaf(scope, path, fn, args, kwargs)
    return value


async def _wait(scope: "Scope", path: str, fail_on_error: bool, timeout: Any) -> Drained:
    core, limit = scope.core, None if timeout is None else seconds(timeout)
    if core.fenced:
        await asyncio.get_running_loop().create_future()
    ring = None if limit is None else Timer.at(core, path, limit).ring
    return await pool_of(scope).wait(fail_on_error, ring)


def _leaf(
    scope: "Scope", path: str, fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Activity:
    """Call a block for what it does: nobody sees what it gives."""
    activity = Activity(scope.core, path, fn, args, kwargs)
    activity.drops = True
    return activity


# -- whose work it is ----------------------------------------------------------------------------


def pool_of(scope: "Scope") -> Pool:
    """The pool of the function that a scope belongs to."""
    function = scope.function
    if function.pool is None:
        function.pool = Pool(scope.core.background)
    return function.pool


def tally_document(scope: "Scope") -> Raw | None:
    """What has become of the work of a function that is not waited for yet, None if there is none.

    Raises SerializableError.
    """
    pool = scope.function.pool
    if pool is None or not (pool.tally.done or pool.tally.failed):
        return None
    tally = pool.tally
    return Raw(codec.encode([tally.done, tally.failed, tally.error], label="work"))


def restore_tally(scope: "Scope", document: Raw | None) -> None:
    """Go on with what `tally_document` said: all that is queued from now on was queued later."""
    if document is None and scope.function.pool is None:
        return
    tally = pool_of(scope).tally
    tally.done, tally.failed, tally.error = (0, 0, None) if document is None else codec.decode(document)


# -- one piece of it -----------------------------------------------------------------------------


def _job(
    scope: "Scope", path: str, block: Callable[..., Any], value: Any, name: str | None, workflow: bool
) -> Job:
    core = scope.core
    for item in core.items:
        if path.startswith(f"{item}/"):
            core.items[item] = True  # its end is not that of all that was begun in it
    call = partial(_call, scope, path, block, value, workflow)
    return Job(call, partial(_failed, core, path, name_of(block, name)))


async def _call(scope: "Scope", path: str, block: Callable[..., Any], value: Any, workflow: bool) -> None:
    fn, args, kwargs = opened(block, (value,), {})
    if workflow:
        await fn(scope.apart(path), *args, **kwargs)
    else:
        await _leaf(scope, path, fn, args, kwargs)


def _failed(core: "Core", path: str, name: str, error: Exception) -> None:
    """Record the failure of a piece of work, and log it: once, not once a replay."""
    if not core.wants_visible:
        return
    failed = StepError(
        path=path, at=core.now, id=name, error=_document(error), traceback=author_traceback(error)
    )
    if core.emit_visible(failed):
        import logging

        warning = logging.getLogger("flopod").warning
        core.command(CallLogger(warning, ("%s", told_failure(name, error)), {}))


def _document(error: Exception) -> Raw:
    try:
        return Raw(codec.encode(error))
    except SerializableError as wrong:
        return Raw(codec.encode(wrong))
