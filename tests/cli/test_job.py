"""The command line of a bundle, as a process: results, resuming, interrupts, exit statuses."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from flopod.backends.choose import choose
from flopod.events import RunResumed
from tests.cli.flows import Job, clean_environment, interrupt, make_bundle

pytestmark = pytest.mark.process


def test_the_result_is_alone_on_standard_output(job: Job) -> None:
    """What the program prints and what is said about the run go to standard error."""
    done = job.run("order", "--input", '{"order_id": "A-1", "qty": 2}')
    assert (done.returncode, json.loads(done.stdout)) == (0, {"order": "A-1", "total": "4.50"})
    assert "adding 2 2.50" in done.stderr
    assert "run main-run in SQLite" in done.stderr or "flopod.db" in done.stderr


def test_a_finished_run_gives_its_result_again(job: Job) -> None:
    """Nothing is executed a second time, and the input may be left out."""
    first = job.run("order", "--input", '["A-1"]')
    again = job.run()
    assert (first.returncode, first.stdout) == (again.returncode, again.stdout)
    assert job.calls() == ["add 1 2.50"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["order", "--input", '{"order_id": "B"}'], ["main-run", "another input", "A", "B", "--run-id"]),
        (["nap"], ["another workflow", "order", "nap", "--run-id"]),
    ],
)
def test_another_input_for_an_existing_run_is_refused(
    job: Job, arguments: list[str], words: list[str]
) -> None:
    """Both inputs are named, and how to start another run."""
    job.run("order", "--input", '{"order_id": "A"}')
    done = job.run(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    for word in words:
        assert word in done.stderr


def test_a_default_that_is_spelt_out_makes_no_other_input(job: Job) -> None:
    """What is compared is the call with its defaults; a difference is shown in JSON, without the rest."""
    job.run("order", "--input", '{"order_id": "A"}')
    same = job.run("order", "--input", '{"order_id": "A", "price": "2.50", "qty": 1}')
    assert (same.returncode, json.loads(same.stdout)["order"]) == (0, "A"), same.stderr
    other = job.run("order", "--input", '{"order_id": "A", "price": "3.50"}')
    assert other.returncode == 2
    assert 'another input: recorded {"price": "2.50"}, given {"price": "3.50"};' in other.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], ["several workflows", "approve, fail"]),
        (["ordr"], ["'ordr'", "did you mean 'order'?"]),
        (["order"], ["needs a value for order_id"]),
        (["order", "--input", "{order_id: 1}"], ["not JSON", "line 1, column 2"]),
        (["order", "--input", '{"order_id": 7}'], ["order_id", "str"]),
        (["order", "--input", '{"order": 7}'], ["'order'", "did you mean 'order_id'?"]),
        (["order", "--run-id", "../up"], ["'../up' is not a run id"]),
        (["order", "--backend", "postgresql://a:b@c@x/y"], ["PostgreSQL", "postgresql://USER:PASSWORD@HOST"]),
        (["order", "--backend", "sqlit"], ["'sqlit'", "sqlite"]),
        (["order", "--inptu", "{}"], ["--inptu"]),
    ],
)
def test_wrong_usage_is_explained(job: Job, arguments: list[str], words: list[str]) -> None:
    """Every mistake on the command line ends with status 2, says what is wrong, and records nothing."""
    done = job.run(*arguments)
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    for word in words:
        assert word in done.stderr
    assert "Traceback" not in done.stderr
    assert job.run("order", "--input", '["A"]').returncode == 0


def test_a_failure_ends_with_the_authors_traceback(job: Job) -> None:
    """The last thing on standard error are the author's frames; the second time they come from the log."""
    for _ in range(2):
        done = job.run("fail")
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.rstrip().endswith("ZeroDivisionError: division by zero")
        traceback = done.stderr[done.stderr.index("Traceback") :]
        assert '  File "flows.py", line 37, in divide\n    return a / b' in traceback
        assert "flopod/" not in traceback


def test_a_value_that_cannot_be_recorded_is_named(job: Job) -> None:
    """The error says which step and which field of its result."""
    done = job.run("leak")
    assert done.returncode == 1
    assert "connect" in done.stderr
    assert done.stderr.splitlines()[-1] == (
        "flopod.errors.SerializableError: connect: result['clients'][0].socket is a _io.TextIOWrapper and "
        "cannot be written: an object of the standard library's _io:TextIOWrapper is not plain data; return "
        "the data of it instead: texts, numbers, lists, dicts, dataclasses"
    )


def test_a_waiting_run_says_how_to_answer_it(job: Job) -> None:
    """The printed commands work as they are, from a second process."""
    waiting = job.run("approve", "--input", '["A-1"]', "--exit-when-waiting")
    assert waiting.returncode == 3
    told = waiting.stderr.partition("deliver it with:\n")[2].splitlines()
    installed, bundled = told[0].strip(), told[1].strip().removeprefix("or: ")
    assert installed.startswith("flopod-run deliver main-run approved approved ")
    words = [sys.executable, *shlex.split(bundled)[1:]]
    done = subprocess.run(words, cwd=job.folder, env=clean_environment(), capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert json.loads(job.run().stdout) == ["A-1", 3, "text"]
    assert job.calls() == ["add 1 2"]


def test_a_run_that_waits_goes_on_by_itself(job: Job) -> None:
    """An event delivered by another process reaches the waiting one."""
    process = job.start("approve", "--input", '["A-1"]')
    job.wait_for_call("add 1 2")
    done = job.run("--deliver", "approved", "approved", '{"by": "ada"}')
    out, error = process.communicate(timeout=30)
    assert done.returncode == 0, done.stderr
    assert (process.returncode, json.loads(out)) == (0, ["A-1", 3, "ada"]), error


@pytest.mark.parametrize(
    ("deliver", "status", "words"),
    [
        (["--run-id", "main-ran", "--deliver", "approved", "approved", "{}"], 4, "did you mean 'main-run'?"),
        (["--deliver", "aproved", "approved", "{}"], 4, "did you mean 'approved'?"),
        (["--deliver", "approved", "denied", "{}"], 4, "'denied'"),
        (["--deliver", "approved", "approved", "{"], 2, "not JSON"),
        (["--deliver", "approved", "approved", '{"by": 1}'], 2, "by"),
    ],
)
def test_a_wrong_delivery_is_refused(job: Job, deliver: list[str], status: int, words: str) -> None:
    """Run, path, event and payload are checked before anything is kept."""
    job.run("approve", "--input", '["A-1"]', "--exit-when-waiting")
    done = job.run(*deliver)
    assert done.returncode == status
    assert words in done.stderr


def test_a_finished_run_takes_no_events(job: Job) -> None:
    """Delivering to it is an error."""
    job.run("order", "--input", '["A"]')
    done = job.run("--deliver", "approved", "approved", "{}")
    assert (done.returncode, "is completed and takes no more events" in done.stderr) == (4, True)


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_an_interrupt_leaves_a_resumable_run(job: Job, number: signal.Signals, status: int) -> None:
    """The process ends at once and says how to go on; recorded steps do not run again."""
    process = job.start("nap")
    job.wait_for_call("slow begins")
    code, error = interrupt(process, number)
    assert code == status
    last = error.splitlines()[-1]
    assert last.startswith("interrupted; resume with: python ")
    assert "Traceback" not in error
    again = job.start("nap")
    job.wait_for_call("slow begins", times=2)
    interrupt(again, number)
    assert job.calls().count("add 1 1") == 1


def test_a_killed_run_goes_on(job: Job) -> None:
    """After SIGKILL the step in flight runs again, the recorded one does not."""
    process = job.start("nap", "--input", "[0.5]")
    job.wait_for_call("slow begins")
    process.kill()
    process.communicate()
    done = job.run()
    assert (done.returncode, done.stdout) == (0, '"rested"\n'), done.stderr
    assert job.calls() == ["add 1 1", "slow begins", "slow begins", "slow ends"]


def test_two_processes_cannot_run_one_run(job: Job) -> None:
    """The second one names the first and ends; the first is not disturbed."""
    process = job.start("nap", "--input", "[2]")
    job.wait_for_call("slow begins")
    second = job.run("nap", "--input", "[2]")
    assert second.returncode == 7
    assert str(process.pid) in second.stderr
    assert process.wait(30) == 0
    process.communicate()


@pytest.mark.parametrize("backend", ["file", "sqlite", "postgres"])
def test_a_run_that_was_taken_over_ends_with_a_status_of_its_own(
    job: Job, backend: str, request: pytest.FixtureRequest
) -> None:
    """Where another process has written to its log it changes nothing more, and says why; the run goes on."""
    if backend == "postgres":
        backend = request.getfixturevalue("postgres").database()
    environment = {"FLOPOD_BACKEND": backend, "FLOPOD_DATA_DIR": str(job.folder / "data")}
    process = job.start("approve", "--input", '["A-1"]', **environment)
    with choose(backend, environment) as store:
        job.wait_until(lambda: bool((summary := store.summary("main-run")) and summary.waits))
        last = store.load("main-run")[-1].seq
        store.append("main-run", last, [RunResumed(at=1)])
        store.deliver("main-run", "approved", "approved", b'{"by":"ada"}')
        out, error = process.communicate(timeout=60)
        assert (process.returncode, out) == (7, ""), error
        assert "another process writes to it" in error.splitlines()[-1]
        assert "Traceback" not in error
        assert len(store.load("main-run")) == last + 1
        done = job.run(**environment)
        assert (done.returncode, json.loads(done.stdout)) == (0, ["A-1", 3, "ada"]), done.stderr


@pytest.mark.parametrize("backend", ["file", "sqlite"])
def test_a_leaf_that_kills_the_process_is_parked(job: Job, backend: str) -> None:
    """After five crashes in the same leaf the run is paused, with a message that names it."""
    statuses = []
    for _ in range(8):
        done = job.run("poison", "--backend", backend)
        statuses.append(done.returncode)
        if done.returncode == 3:
            break
    assert statuses == [9, 9, 9, 9, 9, 3]
    assert "die" in done.stderr
    assert "--resume" in done.stderr
    assert job.run("poison", "--backend", backend).returncode == 3
    assert job.calls().count("die") == 5


def test_crashes_are_counted_in_words(job: Job) -> None:
    """One crash is a crash, two are crashes."""
    words = []
    for _ in range(3):
        job.run("poison")
        command = [sys.executable, "-m", "flopod_compiler.cli", "runs", "show", "main-run"]
        shown = subprocess.run(
            command, cwd=job.folder, env=clean_environment(), capture_output=True, text=True
        )
        words += [line.split(maxsplit=1)[1] for line in shown.stdout.splitlines() if line.startswith("steps")]
    assert words == [
        "1 done, 1 running",
        "1 done, 1 crash, 1 running",
        "1 done, 2 crashes, 1 running",
    ]


def test_a_workflow_that_was_renamed_is_named(bundle: Path, tmp_path: Path) -> None:
    """A resume by a program without the run's workflow says so; that is no wrong usage."""
    job = Job(bundle, tmp_path)
    job.run("approve", "--input", '["A"]', "--exit-when-waiting")
    other = Job(make_bundle(tmp_path / "other", "order", "nap"), tmp_path)
    resumed = other.run()
    assert (resumed.returncode, resumed.stdout) == (5, "")
    assert "it is a run of the workflow 'approve', which is not in this build" in resumed.stderr
    started = other.run("order", "--input", '["A"]')
    assert started.returncode == 2
    assert "another workflow: recorded approve, given order" in started.stderr


def test_nobody_reading_the_result_is_no_error(job: Job) -> None:
    """A closed standard output ends without a traceback."""
    process = job.start("order", "--input", '["A"]')
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    error = process.stderr.read()
    process.stderr.close()
    assert process.wait(30) == 0
    assert "Traceback" not in error
    assert "BrokenPipe" not in error


def test_sets_iterate_alike_after_a_resume(job: Job) -> None:
    """A run keeps the hash seed of its first process, whatever the next one is started with."""
    expected = subprocess.run(
        [sys.executable, "-c", "print(list({'ada', 'grace', 'edsger', 'barbara', 'donald', 'tony'}))"],
        env={**os.environ, "PYTHONHASHSEED": "5"},
        capture_output=True,
        text=True,
    ).stdout.replace("'", '"')
    first = job.run("names", PYTHONHASHSEED="5")
    again = job.run("names", PYTHONHASHSEED="77")
    assert first.stdout == again.stdout == expected


def test_it_runs_without_flopod(bundle: Path, tmp_path: Path) -> None:
    """An isolated interpreter with msgspec alone, from another folder, is enough."""
    site = tmp_path / "site"
    site.mkdir()
    (site / "msgspec").symlink_to(Path(msgspec.__file__).parent)
    start = f"import sys, runpy; sys.path[:0] = [{str(site)!r}]; sys.argv[0] = {str(bundle)!r}; "
    code = start + f"runpy.run_path({str(bundle)!r}, run_name='__main__')"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code, "order", "--input", '["A"]'],
        cwd=tmp_path,
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, json.loads(done.stdout)["order"]) == (0, "A"), done.stderr


def test_missing_requirements_are_listed(bundle: Path, tmp_path: Path) -> None:
    """Without msgspec the bundle says what to install."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(bundle)], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 2
    assert "No module named 'msgspec'" in done.stderr
    assert 'pip install "msgspec==' in done.stderr


def test_help_and_version_need_no_run(job: Job) -> None:
    """They name the workflows, the exit statuses and the build, and touch nothing."""
    shown = job.run("--help")
    assert shown.returncode == 0
    assert "approve, fail" in shown.stdout
    assert "143 interrupted" in shown.stdout
    assert "build bbbb" in job.run("--version").stdout
    assert list(job.folder.iterdir()) == []


def test_quiet_and_verbose(job: Job) -> None:
    """Quiet says nothing about a run that goes well; verbose names each step."""
    quiet = job.run("names", "-q")
    assert quiet.stderr == ""
    verbose = job.run("names", "-v", "--run-id", "other")
    assert "slow: started" in verbose.stderr


def test_a_run_id_comes_from_the_environment(job: Job) -> None:
    """FLOPOD_RUN_ID names the run where the option does not."""
    job.run("names", FLOPOD_RUN_ID="from-env", FLOPOD_BACKEND="file")
    assert (job.folder / ".flopod/events/from-env.jsonl").exists()
