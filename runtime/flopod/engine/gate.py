"""Asks hooks whether runs may be taken up by this process."""

from collections.abc import Awaitable, Callable
from inspect import isawaitable

from flopod.backends.base import Backend
from flopod.engine.hooks import Hooks, RunInfo
from flopod.engine.telling import Calls, tell
from flopod.errors import StoppedByHook
from flopod.events import RunResumed, RunStarted
from flopod.workflow.core import Core


class Gate:
    """Asks hooks whether runs may be taken up: each of them once a run, whatever becomes of it here."""

    def __init__(self, hooks: Hooks | None) -> None:
        self._hooks = hooks
        self._asked: set[str] = set()
        self._entered: set[str] = set()

    def __bool__(self) -> bool:
        return self._hooks is not None

    async def ask(self, opening: RunStarted) -> None:
        """Ask for a new run that may have to stand in line. Raises StoppedByHook."""
        if self._hooks is not None:
            await _ask(
                self._hooks.should_run, "should_run", RunInfo.of(opening, opening.run_id, resumed=False)
            )
            self._asked.add(opening.run_id)

    async def enter(self, core: Core, backend: Backend) -> "Calls | None":
        """Let a run go on in this process, and return what calls its hooks, if there are any.

        Raises StoppedByHook; then nothing is recorded, but that the process before was killed, if it was.
        """
        if self._hooks is None:
            return None
        run = _info(core)
        if run.run_id not in self._entered:
            try:
                await self._let_in(self._hooks, run)
            except BaseException:
                core.discard()
                _keep_crash(core, backend)
                raise
        return Calls(self._hooks, run)

    async def _let_in(self, hooks: Hooks, run: RunInfo) -> None:
        if run.run_id not in self._asked:
            await _ask(hooks.should_run, "should_run", run)
        self._asked.discard(run.run_id)
        await _ask(hooks.before_start, "before_start", run)
        self._entered.add(run.run_id)

    async def opened(self, opening: RunStarted) -> None:
        """Tell that a run is in the store which begins later."""
        if self._hooks is not None:
            await tell(self._hooks, RunInfo.of(opening, opening.run_id, resumed=False), opening)

    def left(self, run_id: str) -> None:
        """Forget a run."""
        self._asked.discard(run_id)
        self._entered.discard(run_id)


def opening_of(core: Core) -> RunStarted:
    """Return the first event of a run, whether or not it is in the store yet."""
    assert core.started is not None
    return core.started


def _info(core: Core) -> RunInfo:
    return RunInfo.of(opening_of(core), core.run_id, resumed=core.history.started is not None)


def _keep_crash(core: Core, backend: Backend) -> None:
    opening = core.draft.opening
    if isinstance(opening, RunResumed) and opening.crashed:
        backend.append(core.run_id, core.history.last_seq, [opening])


async def _ask(hook: Callable[[RunInfo], bool | Awaitable[bool]], name: str, run: RunInfo) -> None:
    try:
        answer = hook(run)
        if isawaitable(answer):
            answer = await answer
    except Exception as error:
        raise StoppedByHook(run.run_id, name, f"raised {error!r}") from error
    if not answer:
        raise StoppedByHook(run.run_id, name, f"returned {answer!r}, not True")
