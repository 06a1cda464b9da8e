"""The call that starts a run: as the log holds it, compared with another, and held against the code."""

import inspect
import json
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from msgspec import Raw
from msgspec.structs import replace

from flopod import codec
from flopod.errors import (
    BuildMismatch,
    DivergenceError,
    HiddenValue,
    InputChanged,
    KeptElsewhere,
    SerializableError,
)
from flopod.events import RunCompleted, RunStarted
from flopod.workflow.inputs import input_document, recorded_call

_SHOWN = 200

Workflow = Callable[..., Any]


def renamed(document: Raw, today: Callable[[str], str]) -> Raw:
    """Return recorded arguments under the names that `today` gives for those they were recorded with."""
    try:
        args, kwargs = recorded_call(document)
    except SerializableError:
        return document
    names = {name: today(name) for name in kwargs}
    if all(name == new for name, new in names.items()):
        return document
    return input_document(args, {names[name]: value for name, value in kwargs.items()}) or document


def of_today(started: RunStarted, function: Workflow) -> RunStarted:
    """Return the start of a run with the TypedDicts among its arguments as they are today.

    Raises MigrationError.
    """
    if started.versions == codec.typed_versions():
        return started
    args, kwargs = recorded_call(started.input)
    hints, signature = codec.hints_of(function), _signature(function)
    places = [] if signature is None else list(signature.parameters)[: len(args)]
    places += places[-1:] * (len(args) - len(places))
    by_place = [_migrated(value, hints.get(name), started) for name, value in zip(places, args, strict=True)]
    by_name = {name: _migrated(value, hints.get(name), started) for name, value in kwargs.items()}
    return replace(started, input=input_document(by_place, by_name) or started.input)


def result_of_today(ended: RunCompleted, function: Workflow) -> Any:
    """Return the result of a run, with the TypedDicts in it as they are today. Raises MigrationError."""
    return codec.decode_result(ended.result, ended.versions, lambda: returned_type(function))


def returned_type(function: Workflow) -> Any:
    """Return what a workflow returns, by its annotation."""
    return codec.hints_of(function).get("return")


def _migrated(value: Any, hint: Any, started: RunStarted) -> Any:
    return codec.migrated(value, hint, started.versions)


def check_same(
    run_id: str, started: RunStarted, workflow: str, given: Raw | None, function: Workflow | None = None
) -> None:
    """Check that a start asks for what is recorded; None for `given` asks for nothing.

    With the `function` of the workflow an argument that is left out is the same as its default. Raises
    InputChanged with the arguments that differ.
    """
    if started.workflow != workflow:
        raise InputChanged(run_id, "workflow", started.workflow, workflow)
    if given is None or bytes(given) == bytes(started.input):
        return
    here, there = _arguments(started.input, function), _arguments(given, function)
    names = [name for name in {**here, **there} if not _equal(name, here, there)]
    if names:
        raise InputChanged(run_id, "input", _shown(here, names), _shown(there, names))


def check_fits(run_id: str, started: RunStarted, function: Workflow, recorded: str, build: str) -> None:
    """Check that `function` takes the recorded input, which the build `recorded` made.

    Raises BuildMismatch, or DivergenceError under the same build; HiddenValue if it cannot be read.
    """
    signature = _signature(function)
    try:
        given = recorded_call(started.input)
        why = "" if signature is None else _misfit(signature, *given)
    except KeptElsewhere as error:
        raise HiddenValue(run_id, error.message) from None
    except SerializableError as error:
        why = f"it cannot read the recorded input: {error}"
    if why and recorded != build:
        raise BuildMismatch(run_id, recorded or "(none)", build or "(none)", why)
    if why:
        raise DivergenceError("input", "a call of the workflow with this input", why)


def _arguments(document: Raw, function: Workflow | None) -> dict[str, Any]:
    """Every argument under its name, with the defaults; what no parameter takes stays what it is."""
    if function is None:
        return {"": codec.decode(document)}
    args, kwargs = recorded_call(document)
    signature = _signature(function)
    if signature is None or _misfit(signature, args, kwargs):
        return {**{str(index): value for index, value in enumerate(args)}, **kwargs}
    bound = signature.bind(*args, **kwargs)
    bound.apply_defaults()
    named = dict(bound.arguments)
    for parameter in signature.parameters.values():
        if parameter.kind is parameter.VAR_KEYWORD:
            named |= named.pop(parameter.name)
    return named


@lru_cache(128)
def _signature(function: Workflow) -> inspect.Signature | None:
    """What the workflow takes beside its scope."""
    try:
        whole = inspect.signature(function)
    except (TypeError, ValueError):
        return None
    takes = list(whole.parameters.values())
    if not takes or takes[0].kind is takes[0].VAR_POSITIONAL:
        return whole
    return whole.replace(parameters=takes[1:])


def _misfit(signature: inspect.Signature, args: Sequence[Any], kwargs: Mapping[str, Any]) -> str:
    """Say why these arguments cannot be taken, "" if they can."""
    try:
        signature.bind(*args, **kwargs)
    except TypeError as error:
        wrong = str(error)
    else:
        return ""
    takes = signature.parameters.values()
    extra = [name for name in kwargs if name not in signature.parameters]
    given = {each.name for each, _ in zip(takes, args, strict=False)} | kwargs.keys()
    missing = [
        each.name
        for each in takes
        if each.default is each.empty and each.name not in given and not each.kind.name.startswith("VAR")
    ]
    if extra and missing:
        return f"the input has {_names(extra)}, the workflow now takes {_names(missing)}"
    if extra:
        return f"the input has {_names(extra)}, which the workflow does not take any more"
    if missing:
        return f"the input has no {_names(missing)}, which the workflow now needs"
    return f"the workflow does not take the input any more: {wrong}"


def _names(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names))


def _equal(name: str, here: Mapping[str, Any], there: Mapping[str, Any]) -> bool:
    if name not in here or name not in there:
        return False
    one, other = here[name], there[name]
    try:
        return one is other or codec.fingerprint(one) == codec.fingerprint(other)
    except SerializableError:
        return False


def _shown(arguments: Mapping[str, Any], names: Sequence[str]) -> str:
    """The arguments called so, as JSON for a person."""
    found: Any = {name: codec.plain(arguments[name]) for name in names if name in arguments}
    text = json.dumps(found.get("", found), ensure_ascii=False)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."
