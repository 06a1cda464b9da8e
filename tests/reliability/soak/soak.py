"""Many trials side by side, over every case and store, until so many processes were killed."""

import itertools
import random
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from tests.contract.support import Place
from tests.reliability.soak.books import Books
from tests.reliability.soak.cases import CASES, Bundle, Case, End, processors
from tests.reliability.soak.trial import Trial, at_random


class Soak:
    """The cases of one bundle in several places; `kills` are counted by the kind of store."""

    def __init__(self, bundle: Bundle, places: Iterable[Place]) -> None:
        self.kills: Counter[str] = Counter()
        self._bundle = bundle
        self._places = [(place, place.open()) for place in places]
        with ThreadPoolExecutor(processors()) as pool:
            ends = pool.map(self._unkilled, CASES)
            self._ends: dict[str, End] = {case.workflow: end for case, end in zip(CASES, ends, strict=True)}

    def at_every_write(self) -> None:
        """Kill a process at each of its writes, and let the next one go on: each case in one place."""
        with ThreadPoolExecutor(processors()) as pool:
            list(pool.map(self._at_every_write, CASES, itertools.cycle(range(len(self._places)))))

    def at_random(self, seed: int, kills: int, most: int = 12) -> None:
        """Kill processes of all cases in all places, each run at most so often, until there were `kills`."""
        chance = random.Random(seed)
        turns = list(itertools.product(CASES, range(len(self._places))))
        chance.shuffle(turns)

        def one(number: int) -> None:
            if self.kills.total() < kills:
                case, place = turns[number % len(turns)]
                plan = at_random(seed * 1_000_003 + number, most)
                self._killed(case, place, f"random{number}-{case.workflow}", plan)

        with ThreadPoolExecutor(processors()) as pool:
            list(pool.map(one, range(kills)))

    def _unkilled(self, case: Case) -> End:
        return self._trial(case, 0, f"whole-{case.workflow}").run(iter(()))

    def _at_every_write(self, case: Case, place: int) -> None:
        for write in itertools.count(1):
            kill = f"{'after' if write % 2 else 'before'}:{write}"
            if not self._killed(case, place, f"write{write}-{case.workflow}", iter([kill])):
                return

    def _killed(self, case: Case, place: int, run_id: str, plan: Iterator[str]) -> int:
        kind, trial = self._places[place][0].kind, self._trial(case, place, run_id)
        end, expected = trial.run(plan), self._ends[case.workflow]
        assert end == expected, f"{run_id} in {kind} ended with {end}, unkilled it is {expected}"
        trial.check()
        self.kills[kind] += trial.kills
        return trial.kills

    def _trial(self, case: Case, place: int, run_id: str) -> Trial:
        where, store = self._places[place]
        for path, payload in case.deliveries:
            store.deliver(run_id, path, "approved", payload)
        journal = self._bundle.folder / f"{run_id}.journal"
        start = partial(self._bundle.start, case, run_id, where.address, journal)
        return Trial(start, [Books(run_id, journal)], store)
