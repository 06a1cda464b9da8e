"""`flopod runs cancel|pause|resume|retry|prune`: one run, or all that a filter lets through."""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import click

from flopod_compiler.cli.answer import answer, data, json_option, note
from flopod_compiler.cli.base import backend_option, example, run_argument
from flopod_compiler.cli.failure import described
from flopod_compiler.cli.filtering import filter_options, is_given, wanted

if TYPE_CHECKING:
    from flopod.backends.base import Backend, Filter
    from flopod.engine.control import Done
    from flopod.events import RunSummary

_TOLD = {
    "cancel": "is told; it is cancelled where it waits, by who drives it or the next one who does",
    "pause": "is told; it rests as soon as what is under way has ended",
}
_NOW = {"cancel": "is cancelled", "pause": "is paused", "resume": "goes on", "retry": "goes on"}
_ALREADY = {"cancel": "is cancelled already", "pause": "is paused already", "resume": "is not paused"}
_UNDERWAY = (
    "was cancelled before and has not ended: it cleans up, or has caught CancelledError and goes on; "
    "to end it as it is, stop who drives it and repeat this with --force"
)

Order = Callable[["Backend", str], "Done"]


def _operation(ordered: Callable[..., Order]) -> click.Command:
    """The command that gives an order, made of its own options, to a run or to those of a filter."""

    @functools.wraps(ordered)
    def command(run_id: str | None, backend: str | None, yes: bool, **given: Any) -> None:
        options = {name: given.pop(name) for name in inspect.signature(ordered).parameters}
        _operate(ordered.__name__, run_id, backend, yes, given, ordered(**options))

    yes_option = click.option(
        "--yes", is_flag=True, help="Do it to all runs of the filter; else they are listed."
    )
    with_targets = backend_option(filter_options(yes_option(json_option(command))))
    return click.command()(run_argument(required=False)(with_targets))


_reason_option = click.option("--reason", default="", help="Kept in the log of the run.")


@example("flopod runs cancel main-run", "flopod runs cancel --workflow fulfil --status waiting --yes")
@_operation
@_reason_option
@click.option("--force", is_flag=True, help="End it now, without letting it clean up.")
def cancel(reason: str, force: bool) -> Order:
    """Cancel a run: CancelledError is raised where it waits, and it may clean up."""
    from flopod.engine import control

    return functools.partial(control.cancel, reason=reason, force=force)


@example("flopod runs pause main-run --reason 'the shop moves'")
@_operation
@_reason_option
def pause(reason: str) -> Order:
    """Bring a run to rest: what is under way ends, nothing else is started."""
    from flopod.engine import control

    return functools.partial(control.pause, reason=reason)


@example("flopod runs resume main-run")
@_operation
def resume() -> Order:
    """Let a paused run go on."""
    from flopod.engine import control

    return control.resume


@example("flopod runs retry --status failed --started-after 1d --yes")
@_operation
@_reason_option
def retry(reason: str) -> Order:
    """Let a failed or cancelled run go on from where it failed.

    The last activity that was given up on is tried again; what came after it counts no more.
    """
    from flopod.engine import control

    return functools.partial(control.retry, reason=reason)


def _operate(
    name: str, run_id: str | None, backend: str | None, yes: bool, given: dict[str, Any], order: Order
) -> None:
    from flopod.backends.choose import choose

    if (run_id is None) == (not is_given(given)):
        raise click.UsageError("give either a run id or a filter")
    with choose(backend, os.environ) as store:
        if run_id is not None:
            done = order(store, run_id)
            note(f"{run_id} {_said(name, done)}")
            document = {"runs": [_as_data(run_id, done)], "refused": []}
            answer(document, following=f"flopod runs show {run_id}", backend=backend)
        else:
            _operate_many(name, store, wanted(given), yes, order, backend)


def _said(name: str, done: Done) -> str:
    words = {"now": _NOW, "told": _TOLD, "already": _ALREADY, "underway": {"cancel": _UNDERWAY}}[done.value]
    return words.get(name, done.value)


def _as_data(run_id: str, done: Done) -> dict[str, str]:
    return {"run_id": run_id, "done": done.value}


def _operate_many(
    name: str, store: Backend, meant: Filter, yes: bool, order: Order, backend: str | None
) -> None:
    found = store.find(meant)
    if not yes:
        answer({"would": _chosen(found)}, _lines(found))
        raise click.UsageError(f"{len(found)} runs; to {name} them all, repeat this with --yes")
    done, refused = _ordered(name, store, [one.run_id for one in found], order)
    note(f"{len(done)} of {len(found)} runs")
    answer({"runs": done, "refused": refused}, following="flopod runs list", backend=backend)
    if refused:
        raise click.exceptions.Exit(1)


def _ordered(
    name: str, store: Backend, run_ids: Sequence[str], order: Order
) -> tuple[list[dict[str, str]], list[dict[str, Any]]]:
    """What became of each run; and of those that refused, why."""
    from flopod.errors import FlopodError

    done, refused = [], []
    for run_id in run_ids:
        try:
            done.append(_as_data(run_id, became := order(store, run_id)))
            data(f"{run_id} {_said(name, became)}")
        except FlopodError as error:
            refused.append({"run_id": run_id, **described(error)})
            note(f"{run_id}: {error}")
    return done, refused


def _chosen(found: Iterable[RunSummary]) -> list[dict[str, str]]:
    return [{"run_id": one.run_id, "status": one.status, "workflow": one.workflow} for one in found]


def _lines(found: Iterable[RunSummary]) -> str:
    return "\n".join(f"{one.run_id}  {one.status}  {one.workflow}" for one in found)


@example("flopod runs prune --ended-before 30d --yes")
@click.command()
@backend_option
@filter_options
@click.option("--yes", is_flag=True, help="Do it; else the runs are listed.")
@json_option
def prune(backend: str | None, yes: bool, **given: Any) -> None:
    """Delete runs that are over, with all that belongs to them: --ended-before 30d, for example.

    Runs that are not over are never deleted, nor is a child that such a run still waits for, nor the run
    that has begun it.
    """
    from flopod.backends.choose import choose
    from flopod.events import FINAL

    if not is_given(given):
        raise click.UsageError("say which runs: --ended-before 30d, --workflow NAME, ...")
    with choose(backend, os.environ) as store:
        over = [one for one in store.find(wanted(given)) if one.status in FINAL]
        stays = _staying(store, over)
        found = [one for one in over if one.run_id not in stays]
        kept = [{"run_id": run_id, "why": why} for run_id, why in stays.items()]
        if not yes:
            answer({"would": _chosen(found), "stays": kept}, _lines(found))
            note(f"{len(found)} runs would be deleted; repeat this with --yes")
            return
        deleted, held = _deleted(store, found)
    note(f"deleted {len(deleted)} runs")
    answer({"deleted": deleted, "stays": kept + held}, following="flopod runs list", backend=backend)


def _staying(store: Backend, over: Sequence[RunSummary]) -> dict[str, str]:
    """The runs that stay, each with the reason, which is also said."""
    from flopod.engine.pruning import awaited, needed

    stays = {child: f"the run {parent} waits for it" for child, parent in awaited(store, over).items()}
    for parent, child in needed(store, over).items():
        stays.setdefault(parent, f"the run {child}, which it has begun, goes on")
    for run_id, why in stays.items():
        note(f"{run_id} stays: {why}")
    return stays


def _deleted(store: Backend, found: Sequence[RunSummary]) -> tuple[list[str], list[dict[str, str]]]:
    """The ids of the runs that are deleted now, and those that somebody runs."""
    from flopod.errors import RunHeld

    deleted, held = [], []
    for one in found:
        try:
            if store.delete(one.run_id):
                deleted.append(one.run_id)
        except RunHeld as error:
            held.append({"run_id": one.run_id, "why": str(error)})
            note(str(error))
    return deleted, held
