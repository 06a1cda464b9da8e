"""Run the census, kill it with SIGKILL again and again, and show what was skipped and what was lost.

It builds the bundle, runs it once undisturbed and once with kills at random moments, and compares the two
reports. The leaves note each of their executions in a file; set against the log as it was at each kill,
that file tells whether anything recorded was done twice.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from flopod import SqliteBackend
from flopod.events import ActivityCompleted, ActivityFailed, Event

HERE = Path(__file__).resolve().parent
RUN_ID = "main-run"


@dataclass(frozen=True)
class Start:
    """One start of the bundle: how many modules the log had, were executed, and the log had at its end."""

    recorded_before: int
    executed: list[str]
    recorded_after: int
    again: list[str]
    killed: bool


@dataclass
class Trial:
    """A run of the census in a folder of its own, by as many processes as it takes."""

    bundle: Path
    folder: Path
    limit: int | None = None
    starts: list[Start] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.folder.mkdir()

    def finish(self) -> None:
        """Start it and let it run to its end. Raises RuntimeError if that is not a completed run."""
        self._start(None)

    def kill_at(self, executions: int) -> bool:
        """Start it and kill it once so many leaves began, over all starts; False if it ended before."""
        return self._start(executions)

    def report(self, name: str = "report.json") -> bytes:
        """The report that the run wrote."""
        return (self.folder / name).read_bytes()

    def executions(self) -> list[str]:
        """The modules whose leaf began, in order, over all starts."""
        path = self.folder / "executions.txt"
        return path.read_text().splitlines() if path.exists() else []

    def recorded(self) -> set[str]:
        """The modules whose measure is in the log."""
        completed = (event for event in self._events() if isinstance(event, ActivityCompleted))
        results = (json.loads(bytes(event.result)) for event in completed if event.path.endswith("/measure"))
        return {result["state"]["module"] for result in results}

    def failures(self) -> int:
        """How many attempts failed and were tried again."""
        return sum(isinstance(event, ActivityFailed) for event in self._events())

    def _events(self) -> list[Event]:
        with SqliteBackend(self.folder / ".flopod" / "flopod.db") as backend:
            return [record.event for record in backend.load(RUN_ID)]

    def _start(self, kill_at: int | None) -> bool:
        first = len(self.executions())
        before = self.recorded() if self.starts else set()
        killed = self._run(kill_at)
        executed = self.executions()[first:]
        after = self.recorded()
        again = [module for module in executed if module in before]
        self.starts.append(Start(len(before), executed, len(after), again, killed))
        return killed

    def _run(self, kill_at: int | None) -> bool:
        given = [] if self.starts else ["--input", json.dumps({"folder": ".", "limit": self.limit})]
        command = [sys.executable, str(self.bundle), "--quiet", *given]
        talk = self.folder / "talk.txt"
        with talk.open("ab") as stderr:
            process = subprocess.Popen(
                command, cwd=self.folder, env=_environment(), stdout=subprocess.DEVNULL, stderr=stderr
            )
            killed = kill_at is not None and self._kill(process, kill_at)
        if process.wait() and not killed:
            raise RuntimeError(f"the census ended with status {process.returncode}\n{talk.read_text()}")
        return killed

    def _kill(self, process: "subprocess.Popen[bytes]", executions: int) -> bool:
        while process.poll() is None and len(self.executions()) < executions:
            time.sleep(0.002)
        time.sleep(random.uniform(0, 0.02))
        process.kill()
        return process.wait() < 0


def _environment() -> dict[str, str]:
    """The environment without what puts runs elsewhere; nothing is compacted, so that all can be counted."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("FLOPOD_") and name != "DATABASE_URL"
    }
    return {**kept, "FLOPOD_COMPACT": "off"}


def build(target: Path) -> Path:
    """Build the bundle of the census into `target`."""
    flopod = Path(sys.executable).with_name("flopod")
    command = [str(flopod), "build", str(HERE / "src"), "-o", str(target)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"the build failed\n{done.stderr}")
    return target / "bundle.py"


def kill_again_and_again(trial: Trial, total: int, kills: int) -> None:
    """Kill the run at `kills` random moments of its `total` executions, then let it end."""
    for moment in sorted(random.sample(range(1, max(total - 10, kills + 1)), kills)):
        if not trial.kill_at(max(moment, len(trial.executions()) + 1)):
            return
    trial.finish()


def faults(straight: Trial, killed: Trial) -> list[str]:
    """What contradicts the promise: nothing, unless flopod has a bug."""
    found = [
        f"start {number} measured what was recorded: {', '.join(start.again)}"
        for number, start in enumerate(killed.starts, 1)
        if start.again
    ]
    if killed.report() != straight.report():
        found.append("the reports differ")
    if missing := straight.recorded() - killed.recorded():
        found.append(f"not measured: {', '.join(sorted(missing))}")
    return found


def table(trial: Trial) -> Iterator[str]:
    """A line for each start of a run."""
    yield "  start   skipped: recorded    executed    recorded at its end"
    for number, start in enumerate(trial.starts, 1):
        end = "killed" if start.killed else "completed"
        yield (
            f"  {number:>5}{start.recorded_before:>20}{len(start.executed):>12}"
            f"{start.recorded_after:>16}  {end}"
        )


def summary(trial: Trial) -> Iterator[str]:
    """What the starts of a killed run say about lost and repeated work."""
    kills = sum(start.killed for start in trial.starts)
    executed = sum(len(start.executed) for start in trial.starts)
    recorded, failed = len(trial.recorded()), trial.failures()
    yield f"  {kills} kills; {recorded} modules, {failed} attempts failed on purpose and were tried again"
    yield f"  executions beyond these, in flight at a kill: {executed - recorded - failed}"
    yield f"  recorded modules measured again: {sum(len(start.again) for start in trial.starts)}"


def show(folder: Path, kills: int, limit: int | None) -> int:
    """Do it all in `folder`, tell about it, and return the exit status."""
    bundle = build(folder / "out")
    print(f"built    {bundle.stat().st_size // 1000} kB: {bundle}")
    straight, killed = Trial(bundle, folder / "straight", limit), Trial(bundle, folder / "killed", limit)
    began = time.monotonic()
    straight.finish()
    total = len(straight.executions())
    print(f"straight {len(straight.recorded())} modules in {time.monotonic() - began:.1f} s, no kills")
    print("killed   the same again, with SIGKILL at random moments", flush=True)
    kill_again_and_again(killed, total, kills)
    print("\n".join(table(killed)))
    print("\n".join(summary(killed)))
    found = faults(straight, killed)
    print(f"report   {'; '.join(found) or 'equal to that of the straight run, byte for byte'}")
    print("\n".join("  " + line for line in _head(killed.report("report.txt").decode())))
    return 1 if found else 0


def _head(text: str, lines: int = 4) -> list[str]:
    rows = text.splitlines()
    return [*rows[:lines], "...", rows[-1]]


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the options and run the demonstration in a temporary folder."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=6, help="how often to kill it (default: 6)")
    parser.add_argument("--limit", type=int, help="only so many packages")
    parser.add_argument("--seed", type=int, default=None, help="for the same random moments again")
    options = parser.parse_args(arguments)
    random.seed(options.seed)
    with tempfile.TemporaryDirectory(prefix="census-") as folder:
        return show(Path(folder), options.kills, options.limit)


if __name__ == "__main__":
    sys.exit(main())
