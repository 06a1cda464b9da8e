"""`flopod runs cancel|pause|resume|retry|prune`: one run, or all that a filter lets through."""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import click

from flopod_compiler.cli.base import backend_option, next_step
from flopod_compiler.cli.filtering import filter_options, is_given, wanted

if TYPE_CHECKING:
    from flopod.backends.base import Backend, Filter
    from flopod.engine.control import Done

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
    with_targets = backend_option(filter_options(yes_option(command)))
    return click.command()(click.argument("run_id", required=False)(with_targets))


_reason_option = click.option("--reason", default="", help="Kept in the log of the run.")


@_operation
@_reason_option
@click.option("--force", is_flag=True, help="End it now, without letting it clean up.")
def cancel(reason: str, force: bool) -> Order:
    """Cancel a run: CancelledError is raised where it waits, and it may clean up."""
    from flopod.engine import control

    return functools.partial(control.cancel, reason=reason, force=force)


@_operation
@_reason_option
def pause(reason: str) -> Order:
    """Bring a run to rest: what is under way ends, nothing else is started."""
    from flopod.engine import control

    return functools.partial(control.pause, reason=reason)


@_operation
def resume() -> Order:
    """Let a paused run go on."""
    from flopod.engine import control

    return control.resume


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
            click.echo(f"{run_id} {_said(name, order(store, run_id))}", err=True)
        else:
            _operate_many(name, store, wanted(given), yes, order)
    next_step(f"flopod runs show {run_id}" if run_id is not None else "flopod runs list", backend)


def _said(name: str, done: Done) -> str:
    words = {"now": _NOW, "told": _TOLD, "already": _ALREADY, "underway": {"cancel": _UNDERWAY}}[done.value]
    return words.get(name, done.value)


def _operate_many(name: str, store: Backend, meant: Filter, yes: bool, order: Order) -> None:
    found = store.find(meant)
    if not yes:
        _list(found)
        raise click.UsageError(f"{len(found)} runs; to {name} them all, repeat this with --yes")
    refused = [one.run_id for one in found if not _tried(name, store, one.run_id, order)]
    click.echo(f"{len(found) - len(refused)} of {len(found)} runs", err=True)
    if refused:
        raise click.exceptions.Exit(1)


def _tried(name: str, store: Backend, run_id: str, order: Order) -> bool:
    from flopod.errors import FlopodError

    try:
        click.echo(f"{run_id} {_said(name, order(store, run_id))}")
    except FlopodError as error:
        click.echo(f"{run_id}: {error}", err=True)
        return False
    return True


def _list(found: Iterable[Any]) -> None:
    for one in found:
        click.echo(f"{one.run_id}  {one.status}  {one.workflow}")


@click.command()
@backend_option
@filter_options
@click.option("--yes", is_flag=True, help="Do it; else the runs are listed.")
def prune(backend: str | None, yes: bool, **given: Any) -> None:
    """Delete runs that are over, with all that belongs to them: --ended-before 30d, for example.

    Runs that are not over are never deleted, nor is a child that such a run still waits for, nor the run
    that has begun it.
    """
    from flopod.backends.choose import choose
    from flopod.engine.pruning import awaited, needed
    from flopod.errors import RunHeld
    from flopod.events import FINAL

    if not is_given(given):
        raise click.UsageError("say which runs: --ended-before 30d, --workflow NAME, ...")
    with choose(backend, os.environ) as store:
        over = [one for one in store.find(wanted(given)) if one.status in FINAL]
        waited, begun = awaited(store, over), needed(store, over)
        for child, parent in waited.items():
            click.echo(f"{child} stays: the run {parent} waits for it", err=True)
        for parent, child in begun.items():
            click.echo(f"{parent} stays: the run {child}, which it has begun, goes on", err=True)
        found = [one for one in over if one.run_id not in waited and one.run_id not in begun]
        if not yes:
            _list(found)
            click.echo(f"{len(found)} runs would be deleted; repeat this with --yes", err=True)
            return
        count = 0
        for one in found:
            try:
                count += store.delete(one.run_id)
            except RunHeld as error:
                click.echo(str(error), err=True)
    click.echo(f"deleted {count} runs", err=True)
    next_step("flopod runs list", backend)
