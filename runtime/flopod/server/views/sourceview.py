"""The author's source with what a run has done at its lines, and where it is; the emitted code beside it."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from flopod.manifest import WorkflowEntry
from flopod.server.host import Build
from flopod.server.views.course import Course, Operation
from flopod.server.views.highlight import Line, highlighted
from flopod.server.views.places import Places
from flopod.server.views.values import short
from flopod.server.views.words import duration

_FRAME = re.compile(r'^\s*File "([^"]+)", line (\d+)', re.MULTILINE)
_URGENCY = ("running", "retrying", "waiting", "sleeping")
_FEW = 2


class Note(NamedTuple):
    """What stands at the end of a line; `since` lets a page count on from a time (ms since the epoch)."""

    state: str
    text: str
    since: int | None = None


class SourceLine(NamedTuple):
    """A line of a pair of files: the author's and the emitted one, each with its number, 0 for none.

    `state` is that of the line now ("" for none), `done` and `failed` say how many operations of it have.
    """

    number: int
    spans: Line
    emitted_number: int
    emitted: Line
    state: str = ""
    note: Note | None = None
    done: int = 0
    failed: int = 0
    paths: Sequence[str] = ()


class SourceFile(NamedTuple):
    """One of the author's files; `is_current` if something goes on in it, or it is where the run failed."""

    name: str
    lines: list[SourceLine]
    is_current: bool
    current_line: int


class SourceView(NamedTuple):
    """The files of a workflow; those of the functions that it calls in the same run, too.

    `is_part` says that compaction has removed what some lines have done: counts are the least there was.
    """

    files: list[SourceFile]
    is_part: bool


def source_view(build: Build, entry: WorkflowEntry, course: Course, now: int) -> SourceView:
    """Place the operations of a run at the lines of its workflow."""
    places = Places(entry.paths)
    by_line: dict[tuple[str, int], list[Operation]] = defaultdict(list)
    for one in course.operations.values():
        found = places.of(one.path)
        if found is not None and found.file:
            by_line[found.file, found.line].append(one)
    names = dict.fromkeys([each.file for each in entry.paths if each.file in build.sources])
    if not names:
        names = dict.fromkeys(_file_of_module(build, entry.module))
    failed_at = _failed_at(course, names)
    was_at = None if course.open_operations() or course.ended is not None else places.of(course.last_path)
    here = None if was_at is None else (was_at.file, was_at.line)
    files = [_file(name, build, by_line, failed_at, here, course, now) for name in names]
    return SourceView(files, bool(course.dropped))


def _file_of_module(build: Build, module: str) -> list[str]:
    stem = module.replace(".", "/")
    return [name for name in (f"{stem}.py", f"{stem}/__init__.py") if name in build.sources]


def _failed_at(course: Course, sources: Iterable[str]) -> tuple[str, int] | None:
    """The last line of the author's that the traceback of a failed run names."""
    if course.failure is None:
        return None
    names = list(sources)
    for file, line in reversed(_FRAME.findall(course.failure.traceback)):
        posix = file.replace("\\", "/")
        name = next((one for one in names if posix == one or posix.endswith(f"/{one}")), None)
        if name is not None:
            return name, int(line)
    return None


def _file(
    name: str,
    build: Build,
    by_line: Mapping[tuple[str, int], list[Operation]],
    failed_at: tuple[str, int] | None,
    was_at: tuple[str, int] | None,
    course: Course,
    now: int,
) -> SourceFile:
    lines: list[SourceLine] = []
    for number, spans, emitted_number, emitted in _paired(name, build):
        here = by_line.get((name, number), []) if number else []
        line = _line(SourceLine(number, spans, emitted_number, emitted), here, now)
        if number and was_at == (name, number):
            line = line._replace(state="here")
        if number and failed_at == (name, number) and course.failure is not None:
            last = course.failure.traceback.strip().splitlines()[-1:]
            line = line._replace(
                state="failed", note=Note("failed", "failed here: " + short("".join(last), 90))
            )
        lines.append(line)
    current = next((line.number for line in lines if line.state), 0)
    return SourceFile(name, lines, bool(current), current)


def _line(line: SourceLine, here: Sequence[Operation], now: int) -> SourceLine:
    if not here:
        return line
    going_on = [one for one in here if one.is_open]
    state = next((state for state in _URGENCY if any(one.state == state for one in going_on)), "")
    return line._replace(
        state=state,
        note=_note(going_on, now),
        done=sum(one.state == "done" for one in here),
        failed=sum(one.state == "failed" for one in here),
        paths=[one.path for one in (going_on or here)][:_FEW],
    )


def _note(going_on: Sequence[Operation], now: int) -> Note | None:
    """What the operations of a line do: the most urgent one, and how many there are beside it."""
    if not going_on:
        return None
    first = min(going_on, key=lambda one: (_URGENCY.index(one.state), one.begun))
    more = f", and {len(going_on) - 1:,} more" if len(going_on) > 1 else ""
    return Note(first.state, told(first, now) + more, first.begun)


def told(one: Operation, now: int) -> str:
    """Say what an operation that goes on does."""
    name = one.path.rpartition("/")[2]
    match one.state:
        case "waiting" if one.kind in ("child", "detach"):
            return f"waiting for the run of {name}"
        case "waiting":
            return f"waiting for {one.event}"
        case "sleeping":
            left = (one.due or now) - now
            return f"sleeping, {duration(left)} left" if left > 0 else "sleeping"
        case "retrying":
            return f"{name} failed, try {len(one.attempts) + 1} is due"
        case _:
            return f"running {name}" + (f", try {len(one.attempts)}" if len(one.attempts) > 1 else "")


def _paired(name: str, build: Build) -> Iterable[tuple[int, Line, int, Line]]:
    """The lines of a file beside the emitted ones; a line that was added has none of the author's."""
    own = highlighted(build.sources[name])
    text, homes = build.emitted.get(name), build.manifest.lines.get(name)
    if text is None or homes is None:
        for number, line in enumerate(own, 1):
            yield number, line, 0, ()
        return
    emitted = highlighted(text)
    shown = 0
    for number, (line, home) in enumerate(zip(emitted, homes, strict=False), 1):
        while shown < home - 1:
            shown += 1
            yield shown, own[shown - 1], 0, ()
        if home > shown:
            shown = home
            yield home, own[home - 1] if home <= len(own) else (), number, line
        else:
            yield 0, (), number, line
    for number in range(shown + 1, len(own) + 1):
        yield number, own[number - 1], 0, ()
