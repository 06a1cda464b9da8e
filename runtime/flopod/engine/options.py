"""The command line of a job, read with argparse alone so that a bundle needs nothing for it."""

import argparse
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from flopod.manifest import Manifest
from flopod.runid import DEFAULT_RUN_ID, check_run_id

LEVELS = ("debug", "info", "warning", "error", "critical")

_EPILOG = """\
environment:
  FLOPOD_RUN_ID      the run, where --run-id does not say it
  FLOPOD_BACKEND     the backend, where --backend does not say it; else a postgresql:// DATABASE_URL
  FLOPOD_DATA_DIR    the folder of the backends memory, file and sqlite, else ./.flopod
  FLOPOD_COMPACT     off keeps every event of a loop without end; else those that a resume skips are removed
  NO_COLOR           no live line, plain text only; FORCE_COLOR: color also where no terminal is

exit status:
  0 completed   1 failed   2 usage or bad input   3 waiting or paused   4 no such run, path or event
  5 diverged, or another build   6 storage   7 held, or taken over, by another process   8 cancelled
  130, 143 interrupted: start it again and it goes on
  A result that cannot be written is 6, and the next start gives it again; one that nobody reads is 0.
"""


class Options(NamedTuple):
    """What a job was asked to do. `workflow` and `input` are None where they were left out."""

    workflow: str | None
    input: str | None
    run_id: str
    backend: str | None
    exit_when_waiting: bool
    resume: bool
    deliver: tuple[str, str, str] | None
    level: int
    log_level: str | None


def read_options(
    argv: Sequence[str], manifest: Manifest, environment: Mapping[str, str], program: str
) -> Options:
    """Read the command line `argv`. Ends the process for `--help`, `--version` and wrong usage.

    Raises InvalidRunId.
    """
    found = _parser(manifest, program).parse_args(list(argv))
    run_id = found.run_id if found.run_id is not None else environment.get("FLOPOD_RUN_ID") or DEFAULT_RUN_ID
    return Options(
        workflow=found.workflow,
        input=found.input,
        run_id=check_run_id(run_id),
        backend=found.backend,
        exit_when_waiting=found.exit_when_waiting,
        resume=found.resume,
        deliver=tuple(found.deliver) if found.deliver else None,
        level=0 if found.quiet else 1 + found.verbose,
        log_level=found.log_level,
    )


def job_help(manifest: Manifest, program: str) -> str:
    """The help of a job, for the command reference."""
    return _parser(manifest, program, width=100).format_help()


def _parser(manifest: Manifest, program: str, width: int | None = None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=program,
        usage=f"{program} [WORKFLOW] [--input JSON] [--run-id ID] [--backend BACKEND] [options]",
        description=_description(manifest),
        epilog=_EPILOG,
        formatter_class=lambda prog: argparse.RawDescriptionHelpFormatter(prog, width=width),
        allow_abbrev=False,
    )
    parser.add_argument("workflow", nargs="?", metavar="WORKFLOW", help="the workflow, if there are several")
    parser.add_argument(
        "--input",
        metavar="JSON|@FILE|-",
        help="its arguments: a JSON object (by name) or array (by place), in a file, or from standard input",
    )
    parser.add_argument(
        "--run-id", metavar="ID", help=f"the run to start or resume (default: {DEFAULT_RUN_ID})"
    )
    parser.add_argument(
        "--backend",
        metavar="BACKEND",
        help="where runs are kept: sqlite (default), file, memory, sqlite:PATH, file:DIR or postgresql://ADDRESS",
    )
    parser.add_argument(
        "--exit-when-waiting",
        action="store_true",
        help="end with status 3 when only events or timers are left",
    )
    parser.add_argument("--resume", action="store_true", help="go on with a run that is paused")
    parser.add_argument(
        "--deliver",
        nargs=3,
        metavar=("PATH", "EVENT", "JSON"),
        help="give an event to the run, and do nothing else",
    )
    parser.add_argument("--version", action="version", version=_version(manifest))
    talk = parser.add_mutually_exclusive_group()
    talk.add_argument("-q", "--quiet", action="store_true", help="say nothing but errors")
    talk.add_argument("-v", "--verbose", action="count", default=0, help="say when each step starts and ends")
    parser.add_argument("--log-level", choices=LEVELS, help="show the program's own log from this level on")
    return parser


def _description(manifest: Manifest) -> str:
    names = ", ".join(sorted(manifest.workflows))
    return (
        f"{manifest.name}: start a run of {names}, or resume it where it was.\n"
        "The result is JSON on standard output, everything else is said on standard error."
    )


def _version(manifest: Manifest) -> str:
    compiler = f" (flopod {manifest.compiler})" if manifest.compiler else ""
    return f"{manifest.name} build {manifest.build}{compiler}"
