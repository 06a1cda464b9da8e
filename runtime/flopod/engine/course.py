"""The course of a run in an engine: from its claim, past its hooks, until it is over or rests."""

from collections.abc import Callable

from flopod.backends.base import Backend
from flopod.engine.children import Children
from flopod.engine.clock import Clock
from flopod.engine.commits import Commits
from flopod.engine.driver import Driver
from flopod.engine.drivers import Drivers
from flopod.engine.entrance import Entered, Entrance
from flopod.engine.openings import Openings
from flopod.engine.outcome import RunOutcome
from flopod.engine.refusals import Refusals
from flopod.engine.suspects import Suspects
from flopod.engine.telling import Calls
from flopod.errors import DivergenceError, StoppedByHook
from flopod.workflow.core import Core


class Course:
    """Claims runs, lets them in, and drives them among the `live` ones.

    `on_rest` is told when a run rests in memory, and when it goes on; `put_away` of one that leaves the
    memory while it waits, as long as it is held.
    """

    def __init__(
        self,
        backend: Backend,
        clock: Clock,
        entrance: Entrance,
        openings: Openings,
        refusals: Refusals,
        live: Drivers,
        *,
        commits: Commits,
        children: Children,
        on_rest: Callable[[Driver, bool], None],
        put_away: Callable[[str, Core], None],
    ) -> None:
        self._backend = backend
        self._clock = clock
        self._entrance = entrance
        self._openings = openings
        self._suspects = Suspects()
        self._refusals = refusals
        self._live = live
        self._commits = commits
        self._children = children
        self._on_rest = on_rest
        self._put_away = put_away

    @property
    def busy(self) -> int:
        """How many runs do more than wait, for the world or for their turn to be alone."""
        return self._live.busy - self._suspects.waiting

    async def run(self, run_id: str) -> RunOutcome:
        """Drive a run until it is over, paused or left. Raises what refuses it, or stops it."""
        fresh = self._openings.is_fresh(run_id)
        with self._backend.claim(run_id, fresh=fresh) as hold, self._live.holding(hold):
            entered = await self._entrance.enter(run_id, hold, left_here=self._refusals.are_of_store(run_id))
            if isinstance(entered, RunOutcome):
                return entered
            core = entered.core
            try:
                outcome = await self._run_to_rest(entered, fresh)
            except DivergenceError as error:
                raise await self._entrance.diverged(entered, error) from None
            except StoppedByHook:
                hold.leave()
                raise
            if outcome.status == "waiting":
                self._put_away(run_id, core)
            elif outcome.status == "left" and core.agenda.running:
                hold.leave()
            return outcome

    async def _run_to_rest(self, entered: Entered, fresh: bool) -> RunOutcome:
        driver = self._driver(entered.core, entered.hooks)
        async with self._suspects.turn(entered.last_tries) as committed:
            driver.committed = committed or driver.committed
            self._live.drive(driver)
            if fresh and not self._live.take_woken(entered.core.run_id):
                driver.nothing_came()
            return await driver.run()

    def _driver(self, core: Core, hooks: Calls | None) -> Driver:
        driver = Driver(
            core,
            self._backend,
            clock=self._clock,
            commits=self._commits,
            on_rest=self._on_rest,
            polls=False,
            inline=False,
            children=self._children,
            hooks=hooks,
        )
        if core.run_id in self._openings:
            driver.committed = lambda _: self._openings.written(core.run_id)
        return driver
