"""What a durable step costs: compiled no-op steps in sequence, as a ratio to bare writes of the same rows.

The floor is measured in the same process and in turns with the steps: for SQLite one commit of the rows that
a step writes (its outcome, and the begin of the next) with `synchronous = FULL`, for files one append of
them and an fdatasync, for PostgreSQL an INSERT of them and its COMMIT over one connection to a server of the
benchmark's own. Times say something about this machine only; the ratio is what flopod adds.
"""

import asyncio
import os
import sqlite3
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from importlib import import_module
from pathlib import Path
from statistics import median
from unittest.mock import patch

from table import Row, parser, show

from flopod import FileBackend, PostgresBackend, SqliteBackend
from flopod.backends.base import Backend
from flopod.engine.identity import Identity
from flopod.engine.run import run_workflow
from flopod.events import ActivityCompleted, encode_line
from flopod_compiler.build import compile_project
from flopod_compiler.bundle.inplace import install

SOURCE = Path(__file__).resolve().parent / "workflows"
GOALS = {"sqlite": "<= 1.5x", "file": "<= 1.5x", "postgres": "<= 1.6x"}

Write = Callable[[Sequence[bytes]], None]
Workflow = Callable[..., Awaitable[int]]


def compiled_workflows() -> list[Workflow]:
    """The benchmark's workflows, compiled and loaded."""
    compilation = compile_project(SOURCE)
    if not compilation.ok:
        raise RuntimeError(f"the benchmark does not compile: {compilation.diagnostics}")
    install(compilation)
    module = import_module("sequence")
    return [module.plain, module.carried]


@contextmanager
def bare_commits(folder: Path) -> Iterator[Write]:
    """Commits of a few rows each to a SQLite file of its own."""
    with closing(sqlite3.connect(folder / "floor.db", isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("CREATE TABLE rows (id INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT")

        def write(bodies: Sequence[bytes]) -> None:
            db.execute("BEGIN IMMEDIATE")
            db.executemany("INSERT INTO rows (body) VALUES (?)", [(body.decode(),) for body in bodies])
            db.execute("COMMIT")

        yield write


@contextmanager
def bare_appends(folder: Path) -> Iterator[Write]:
    """Appends to a file of its own, each forced to the disk."""
    file = os.open(folder / "floor.jsonl", os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def write(bodies: Sequence[bytes]) -> None:
        os.write(file, b"".join(bodies))
        os.fdatasync(file)

    try:
        yield write
    finally:
        os.close(file)


@contextmanager
def bare_inserts(dsn: str) -> Iterator[Write]:
    """Commits of a few rows each to a table of its own, each one statement and one round trip."""
    import psycopg

    with psycopg.connect(dsn, autocommit=True) as db:
        db.execute(
            "CREATE TABLE rows (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body text NOT NULL)"
        )

        def write(bodies: Sequence[bytes]) -> None:
            places = ", ".join(["(%s)"] * len(bodies))
            texts = [body.decode() for body in bodies]
            db.execute(f"INSERT INTO rows (body) VALUES {places}".encode(), texts)

        yield write


class Bench:
    """Measures steps of one workflow on one backend, round by round, each a run of its own."""

    def __init__(self, workflow: Workflow, backend: Backend, steps: int) -> None:
        self._workflow = workflow
        self._backend = backend
        self._steps = steps
        self._rounds = 0
        self.name = workflow.__name__

    def steps(self) -> float:
        """Seconds a step, over a whole run."""
        self._rounds += 1
        identity = Identity(run_id=self._run_id)
        run = run_workflow(self._workflow, [self._steps], identity=identity, backend=self._backend)
        began = time.perf_counter()
        outcome = asyncio.run(run)
        seconds = time.perf_counter() - began
        if outcome.value != self._steps:
            raise RuntimeError(f"the run ended as {outcome}")
        return seconds / self._steps

    def rows_a_step(self) -> list[bytes]:
        """What the last run wrote for one of its steps, from the middle of its log."""
        records = self._backend.load(self._run_id)
        if sum(isinstance(record.event, ActivityCompleted) for record in records) != self._steps:
            raise RuntimeError("the steps were not recorded, so they say nothing")
        count, middle = max(1, len(records) // self._steps), len(records) // 2
        return [encode_line(seq, event) for seq, event in records[middle : middle + count]]

    def floor(self, write: Write, bodies: Sequence[bytes]) -> float:
        """Seconds a bare write of the rows of one step."""
        began = time.perf_counter()
        for _ in range(self._steps):
            write(bodies)
        return (time.perf_counter() - began) / self._steps

    @property
    def _run_id(self) -> str:
        return f"{self.name}-{self._rounds}"


def measure(store: str, bench: Bench, write: Write, rounds: int) -> Row:
    """Take turns between steps and bare writes of the same rows, after one round to warm up."""
    bench.steps()
    bodies = bench.rows_a_step()
    bench.floor(write, bodies)
    pairs = []
    for number in range(rounds):
        if number % 2:
            floor, step = bench.floor(write, bodies), bench.steps()
        else:
            step, floor = bench.steps(), bench.floor(write, bodies)
        pairs.append((floor, step))
    return Row(
        f"a durable step, {bench.name}",
        store,
        found=median(step for _, step in pairs) * 1e6,
        unit="us",
        goal=GOALS[store],
        floor=median(floor for floor, _ in pairs) * 1e6,
        ratio=median(step / floor for floor, step in pairs),
    )


def rows_of_files(folder: Path, steps: int, rounds: int) -> Iterator[Row]:
    """Measure every workflow on every durable store in `folder`."""
    workflows = compiled_workflows()
    with SqliteBackend(folder / "flopod.db") as sqlite, bare_commits(folder) as commit:
        for workflow in workflows:
            yield measure("sqlite", Bench(workflow, sqlite, steps), commit, rounds)
    with FileBackend(folder / "runs") as file, bare_appends(folder) as append:
        for workflow in workflows:
            yield measure("file", Bench(workflow, file, steps), append, rounds)


def rows_of_postgres(steps: int, rounds: int) -> Iterator[Row]:
    """Measure every workflow on a PostgreSQL server that is started for it."""
    sys.path.insert(0, str(SOURCE.parents[1]))
    from tests.postgres.server import Server

    with ExitStack() as stack:
        server = Server()
        stack.callback(server.close)
        store = stack.enter_context(PostgresBackend(server.dsn()))
        insert = stack.enter_context(bare_inserts(server.dsn()))
        for workflow in compiled_workflows():
            yield measure("postgres", Bench(workflow, store, steps), insert, rounds)


def rows(steps: int, rounds: int, folder: Path | None = None) -> Iterator[Row]:
    """Measure everything; `folder` is where to write, for another disk than that of TMPDIR."""
    kept = patch.dict(os.environ, FLOPOD_COMPACT="off")  # the rows of a step are counted in the log
    with kept, tempfile.TemporaryDirectory(prefix="bench-", dir=folder) as here:
        yield from rows_of_files(Path(here), steps, rounds)
        yield from rows_of_postgres(steps, rounds)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table, or JSON."""
    options = parser(__doc__)
    options.add_argument("--steps", type=int, default=300, help="steps a round (default: 300)")
    options.add_argument("--rounds", type=int, default=11, help="rounds to take the median of (default: 11)")
    options.add_argument("--folder", type=Path, help="where to write, for another disk than that of TMPDIR")
    asked = options.parse_args(arguments)
    return show(rows(asked.steps, asked.rounds, asked.folder), asked.json)


if __name__ == "__main__":
    sys.exit(main())
