"""`wf`: the primitives that compiled and hand-written workflows call, and the namespace of their ids.

Without a callback a primitive is the compiler's form, with one the author's.
"""

from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from types import EllipsisType
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from msgspec import Raw

from flopod import codec
from flopod.background import Pool
from flopod.callee import callee_of
from flopod.detach.handle import DetachHandle
from flopod.durations import due, seconds
from flopod.errors import DuplicateId
from flopod.events import BranchTaken, Recorded
from flopod.reach import is_nested
from flopod.retry import Retry
from flopod.workflow import forms, readings
from flopod.workflow.activity import Activity
from flopod.workflow.arguments import opened
from flopod.workflow.children import ChildHandle, start_child
from flopod.workflow.detaching import Detach, Detaching, detach
from flopod.workflow.loops import Each, Repeat
from flopod.workflow.operations import Operation, Sleep, Turn, Wait
from flopod.workflow.paths import encode_id, op_of
from flopod.workflow.sidechains import SideChains
from flopod.workflow.snapshot import State
from flopod.workflow.state import DurableList, DurableMap, Var
from flopod.workflow.timer import Timer

if TYPE_CHECKING:
    from flopod.authoring import Winner
    from flopod.workflow.core import Core

T = TypeVar("T")
S = TypeVar("S", bound=State)
States: TypeAlias = "list[State]"
_WORD = 40
_TURNS = 1000
_REST = 0.001


class Scope(Detaching, SideChains):
    """One scope of a run: the run itself, an iteration, an arm or a called workflow.

    `path` is its path, empty for the run; `core` the run it belongs to; `result`, on the scope of a
    run made by `create_runtime`, what the run returns. `turns` counts the iterations of the loop without
    a foreseeable end that it stands in, if it does. `pool` is the work that was queued in it, and in the
    scopes whose `function` it is.
    """

    __slots__ = (
        "_detaches",
        "_function",
        "_ids",
        "_parent",
        "_prefix",
        "_states",
        "core",
        "path",
        "pool",
        "result",
        "turns",
    )

    def __init__(
        self,
        core: "Core",
        parent: "Scope | None",
        path: str,
        turns: int = 0,
        function: "Scope | None" = None,
    ) -> None:
        self.core = core
        self.path = path
        self.turns: int = turns if parent is None else max(turns, parent.turns)
        self.result: Any = None
        self.pool: Pool | None = None
        self._detaches = 0
        self._function = function
        self._parent = parent
        self._prefix = f"{path}/" if path else ""
        self._ids: set[str] | None = None
        self._states: dict[str, State] | None = None

    def __repr__(self) -> str:
        return f"<Scope {self.core.run_id}:{self.path or '.'}>"

    # -- calls -----------------------------------------------------------------------------------

    def activity(self, id: str, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Awaitable[Any]:
        """Call a leaf once and for ever: its outcome is recorded."""
        return self._handed(Activity(self.core, self.claim(id), *opened(fn, args, kwargs)))

    def awaited(self, id: str, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Awaitable[Any]:
        """Call a leaf and await what it gives: its outcome is a TypeError if that cannot be awaited."""
        activity = Activity(self.core, self.claim(id), *opened(fn, args, kwargs))
        activity.awaits = True
        return self._handed(activity)

    def attempt(
        self, id: str, fn: Callable[..., Any], /, *args: Any, retry: Retry | None = None, **kwargs: Any
    ) -> Awaitable[Any]:
        """Call a leaf by a retry policy, the default one without; None when it is given up on."""
        policy = retry if retry is not None else Retry()
        tried = Activity(self.core, self.claim(id), *opened(fn, args, kwargs), policy, swallow=True)
        return self._handed(tried)

    def compensate(self, id: str, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> None:
        """Register the leaf that undoes a step: if the run fails, they are called, the last one first."""
        self.core.compensations.register(self.claim(id), fn, args, kwargs)

    def call(
        self, id: str, workflow: Callable[..., Coroutine[Any, Any, T]], /, *args: Any, **kwargs: Any
    ) -> Coroutine[Any, Any, T]:
        """Run another workflow inside this one, in a scope of its own."""
        path = self.claim(id)
        fn, args, kwargs = opened(workflow, args, kwargs)
        return fn(self.called(path, fn), *args, **kwargs)  # type: ignore[no-any-return]

    def parallel(
        self, *arms: Any, return_exceptions: bool = False, **named: Awaitable[Any]
    ) -> Awaitable[Any]:
        """Run awaitables, or with an id a list of callbacks, side by side: the rules of `asyncio.gather`.

        Named arms give named results; then the first error cancels the others.
        """
        if named:
            return forms.parallel(named)
        if arms and isinstance(arms[0], str):
            path, callbacks = self.claim(arms[0]), arms[1]
            arms = tuple(fn(self.iteration(f"{path}[{index}]")) for index, fn in enumerate(callbacks))
        return forms.gather(arms, return_exceptions)

    def named(self, /, **arms: Awaitable[Any]) -> Awaitable[Any]:
        """Run named awaitables side by side, whatever their names are, and even if there are none."""
        return forms.parallel(arms)

    def race(self, id: str, /, **arms: Awaitable[Any]) -> "Awaitable[Winner]":
        """Run named awaitables until the first ends; the others are cancelled. The winner is recorded."""
        return forms.race(self, self.claim(id), arms)

    def as_completed(
        self, awaitables: Iterable[Awaitable[T]], *, timeout: float | None = None
    ) -> Iterator[Awaitable[T]]:
        """Iterate over awaitables as they end, like `asyncio.as_completed`."""
        return forms.as_completed(awaitables, timeout=timeout)

    def child(
        self,
        id: str,
        workflow: str | Callable[..., Any],
        /,
        *args: Any,
        run_id: str | None = None,
        detached: bool = False,
        **kwargs: Any,
    ) -> ChildHandle:
        """Start another workflow as a run of its own, with the next commit; it surely starts.

        It is cancelled when this run ends, unless it is `detached`. `workflow` is a name or a function.
        """
        return start_child(self.core, self.claim(id), workflow, args, kwargs, run_id, detached)

    # -- beside the main line --------------------------------------------------------------------

    def _detach(self, what: Detach) -> DetachHandle:
        return detach(self, what)

    def forget(self, id: str, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> None:
        """Start a task that nobody waits for, beside the run: it surely runs, and may outlive it."""
        self._detach(Detach.forgotten(id, fn, args, kwargs))

    # -- control flow ----------------------------------------------------------------------------

    def branch(
        self, id: str, key: Any, cases: Mapping[Any, Callable[..., Awaitable[Any]]] | None = None, /
    ) -> Any:
        """Record the truth of a condition, or the word that names the arm of a `match`, and return it.

        With `cases`, run the one of `key`.
        """
        path = self.claim(id)
        if cases is not None:
            return forms.branch(self, path, key, cases)
        core = self.core
        if core.fenced:
            return key
        word = isinstance(key, str) and len(key) <= _WORD
        truth = codec.encode(key) if word else b"true" if key else b"false"
        recorded = core.replay.ask(path, BranchTaken, forms.Asked(f"a condition that is {truth.decode()}"))
        if recorded is None:
            core.emit(BranchTaken(path=path, at=core.now, key=Raw(truth)))
        elif bytes(recorded.key) != truth:
            was = bytes(recorded.key).decode()
            core.replay.conflict(path, f"a condition that is {was}", f"a condition that is {truth.decode()}")
        return key

    def each(
        self,
        id: str,
        items: Iterable[Any],
        fn: Callable[..., Awaitable[Any]] | None = None,
        /,
        *,
        keep: Sequence[Any] | None = (),
        key: Callable[[Any], Any] | None = None,
        concurrency: int = 1,
    ) -> Any:
        """Iterate over (scope, item); with a callback, run it for each item and collect the errors.

        `keep` are objects that the loop may change, None if it must not be fast-forwarded; `key` gives
        an item its place in the path.
        """
        path = self.claim(id)
        if fn is not None:
            return forms.each(self, path, items, fn, concurrency, key)
        return Each(self, path, items, keep, key)

    def repeat(
        self,
        id: str,
        fn: Callable[..., Awaitable[Any]] | None = None,
        /,
        *,
        keep: Sequence[Any] | EllipsisType | None = ...,
    ) -> Any:
        """Return a loop whose `next()` is the scope of an iteration; with a callback, run it until STOP.

        `keep` are objects that the loop may change, None if it must not be fast-forwarded. A loop by itself
        changes none if that is left out; of a callback nobody knows, so it is not fast-forwarded then.
        """
        path = self.claim(id)
        if fn is not None:
            return forms.repeat(Repeat(self, path, None if keep is ... else keep), fn)
        return Repeat(self, path, () if keep is ... else keep)

    # -- time and events -------------------------------------------------------------------------

    def sleep(
        self, id: str, duration: Any, result: T | None = None, /, *, blocking: bool = False
    ) -> Awaitable[T | None]:
        """Sleep for a duration (seconds, `"5m"` or a timedelta); like asyncio.sleep it gives `result`.

        A `blocking` one holds up the whole run, as `time.sleep` does. For 0 seconds the other tasks take a
        turn, and nothing is recorded; but a loop that does this very often waits for something that only
        happens when the run rests.
        """
        core, path, delay = self.core, self.claim(id), seconds(duration)
        if delay <= 0 and not blocking and core.external is None:
            if self.turns < _TURNS:
                return Turn(core, path, result)
            delay = _REST
        return self._handed(Sleep(core, path, delay, value=result, blocking=blocking))

    def sleep_until(self, id: str, when: Any, /) -> Awaitable[None]:
        """Sleep until a point in time."""
        return self._handed(Sleep(self.core, self.claim(id), 0, due(when, self.core.now)))

    def timer(self, id: str, seconds: T, /) -> T:
        """Make the delay of `asyncio.timeout`, `wait_for`, `wait` or `as_completed` a durable timer."""
        if isinstance(seconds, (int, float)) and seconds > 0:
            return Timer.at(self.core, self.claim(id), seconds)  # type: ignore[return-value]
        return seconds

    def timer_at(self, id: str, when: T, /) -> T:
        """Make the point in the loop's time of `timeout_at` or `reschedule` a durable timer."""
        now = self.core.scheduler.time()
        if isinstance(when, (int, float)) and when > now:
            return Timer.at(self.core, self.claim(id), when - now, when)  # type: ignore[return-value]
        return when

    def wait(self, id: str, event: str | None = None, type: Any = Any, timeout: Any = None) -> Awaitable[Any]:
        """Wait for an event from outside: its payload, or None after `timeout`."""
        limit = None if timeout is None else seconds(timeout)
        event = op_of(id) if event is None else event
        return self._handed(Wait(self.core, self.claim(id), event, type, limit))

    # -- state -----------------------------------------------------------------------------------

    def var(self, id: str, initial: Any = codec.UNBOUND, /) -> Var[Any]:
        """Declare a durable variable; without a value it is unbound."""
        state: Var[Any] = Var(self.core, *self._state_place(id), initial)
        return self._declare(id, state)

    def list(self, id: str, initial: Iterable[Any] = (), /) -> DurableList[Any]:
        """Declare a durable list."""
        state: DurableList[Any] = DurableList(self.core, *self._state_place(id), initial)
        return self._declare(id, state)

    def map(self, id: str, initial: Any = (), /) -> DurableMap[Any, Any]:
        """Declare a durable mapping."""
        state: DurableMap[Any, Any] = DurableMap(self.core, *self._state_place(id), initial)
        return self._declare(id, state)

    # -- what is read from outside ---------------------------------------------------------------

    def record(self, id: str, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> T:
        """Call a clock, a random source and the like once, and give what it gave then on replay."""
        core = self.core
        if core.fenced:
            return fn(*args, **kwargs)
        path, callee = self.claim(id), callee_of(fn)
        recorded = core.replay.ask(path, Recorded, forms.Asked(f"a value of {callee}"))
        if core.fenced:
            return fn(*args, **kwargs)
        if recorded is None:
            return readings.read(core, path, callee, fn, args, kwargs)
        return readings.give(core, path, callee, recorded, fn, args, kwargs)

    def constant(self, id: str, value: T, /) -> T:
        """Record the value of a module-level name at its first read; later reads give the same object."""
        core = self.core
        if core.fenced:
            return value
        if id not in core.constants:
            core.constants[id] = readings.constant(core, encode_id(id), value)
        return core.constants[id]  # type: ignore[no-any-return]

    # -- output ----------------------------------------------------------------------------------

    def print(
        self,
        *args: Any,
        sep: str | None = None,
        end: str | None = None,
        file: Any = None,
        flush: bool = False,
    ) -> None:
        """Print once, not once a replay."""
        self.core.output.print(self.path, args, sep, end, file, flush)

    def logging(self, method: Callable[..., Any], /, *args: Any, **kwargs: Any) -> None:
        """Call a method of a logger once, not once a replay."""
        self.core.output.call_logger(self.path, method, args, kwargs)

    def log(self, message: str, /, **fields: Any) -> None:
        """Record a message with fields."""
        self.core.output.log(self.path, message, fields)

    # -- scopes and ids --------------------------------------------------------------------------

    def iteration(self, path: str, turns: int = 0) -> "Scope":
        """Return a scope inside this one, at a path that its caller has claimed."""
        return Scope(self.core, self, path, turns, self.function)

    def called(self, path: str, fn: Callable[..., Any]) -> "Scope":
        """Return the scope of a call of `fn`; what a nested function queues belongs to its caller."""
        return Scope(self.core, self, path, function=self.function if is_nested(fn) else None)

    def apart(self, path: str) -> "Scope":
        """Return the scope of a function that belongs to nobody, whether it is nested or not."""
        return Scope(self.core, self, path)

    @property
    def function(self) -> "Scope":
        """The scope of the function that this one belongs to."""
        return self if self._function is None else self._function

    def states(self) -> States:
        """Return the durable state in sight, that of the outermost scope first."""
        outer = [] if self._parent is None else self._parent.states()
        return [*outer, *self._states.values()] if self._states else outer

    def _handed(self, operation: Operation) -> Awaitable[Any]:
        """Hand out an operation; a loop that is not the run's own begins real coroutines only."""
        return operation if self.core.external is None else forms.awaited(operation)

    def count_detach(self) -> int:
        """Return the number of the next detach of this scope."""
        self._detaches += 1
        return self._detaches

    def claim(self, id: str) -> str:
        """Return the path of an id, which nothing else in this scope may have. Raises DuplicateId."""
        ids = self._ids
        if ids is None:
            ids = self._ids = set()
        if id in ids and not self.core.fenced:
            raise DuplicateId(id, self.path)
        ids.add(id)
        return self._prefix + encode_id(id)

    def _state_place(self, id: str) -> tuple[str, str]:
        if self._states and id in self._states and not self.core.fenced:
            raise DuplicateId(id, self.path)
        return self._prefix + encode_id(id), op_of(id)

    def _declare(self, id: str, state: S) -> S:
        if self._states is None:
            self._states = {}
        self._states[id] = state
        return state
