"""The input of a workflow: JSON from the command line to arguments of the annotated types."""

import difflib
import json
import re
import sys
import typing
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from flopod.codec import from_plain
from flopod.errors import BadInput
from flopod.events import Attribute
from flopod.manifest import Parameter, WorkflowEntry

_BY_PLACE = {"POSITIONAL_ONLY", "POSITIONAL_OR_KEYWORD"}
_NUMBER = re.compile(r"-?[0-9]{1,18}(\.[0-9]+)?")
_WORDS = {"true": True, "false": False}
_BY_NAME = {"POSITIONAL_ONLY", "POSITIONAL_OR_KEYWORD", "KEYWORD_ONLY"}


class Arguments(NamedTuple):
    """The arguments of a call. Two spellings of the same call are equal."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any]


def read_input(spec: str) -> Any:
    """The JSON document that `--input` names: itself, `@FILE`, or `-` for standard input.

    Raises BadInput with line and column if it is no JSON, or if the file cannot be read.
    """
    if spec == "-":
        return parse_json(sys.stdin.read(), "standard input")
    if spec.startswith("@"):
        return parse_json(_read_file(Path(spec[1:])), spec[1:])
    return parse_json(spec, "the input")


def parse_json(text: str, what: str) -> Any:
    """Decode JSON. Raises BadInput that names `what`, line and column."""
    try:
        return json.loads(text, object_pairs_hook=lambda pairs: _object(pairs, what))
    except json.JSONDecodeError as error:
        raise BadInput(_not_json(text, what, error)) from None
    except RecursionError:
        raise BadInput(f"{what} is nested too deeply") from None


def read_attribute(text: str) -> tuple[str, Attribute]:
    """Read `NAME=VALUE`, where the value may be a number, true or false. Raises BadInput."""
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise BadInput(f"{text!r} has not the form NAME=VALUE", field="attribute")
    if value in _WORDS:
        return name, _WORDS[value]
    if _NUMBER.fullmatch(value):
        return name, float(value) if "." in value else int(value)
    return name, value


def _object(pairs: list[tuple[str, Any]], what: str) -> dict[str, Any]:
    """A JSON object; a name that stands twice would silently lose a value."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise BadInput(f"{what} has the name {twice!r} twice in one object")
    return found


def _not_json(text: str, what: str, error: json.JSONDecodeError) -> str:
    if not text.strip():
        return f"{what} is empty, not JSON"
    line = text.splitlines()[error.lineno - 1 : error.lineno]
    start = max(0, error.colno - 40)
    shown = "".join(line)[start : error.colno + 40]
    place = f"line {error.lineno}, column {error.colno}"
    return f"{what} is not JSON: {error.msg} at {place}\n  {shown}\n  {' ' * (error.colno - 1 - start)}^"


def _read_file(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise BadInput(f"cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise BadInput(f"{path} is not UTF-8 text: {error.reason} at byte {error.start}") from None


def bind(entry: WorkflowEntry, function: Callable[..., Any], data: Any) -> Arguments:
    """Turn a JSON object (by name) or array (by place) into arguments of the annotated types.

    Raises BadInput naming the parameter that is missing, unknown or of the wrong type.
    """
    if isinstance(data, dict):
        args, kwargs = _bind_by_name(entry, data)
    elif isinstance(data, list):
        args, kwargs = _bind_by_place(entry, data)
    else:
        raise BadInput(
            f"the input of {entry.name!r} is {_kind(data)}; give a JSON object (by name), for example "
            f"{_example(entry)}, or an array (by place)"
        )
    _require_all(entry, args, kwargs)
    return _decoded(entry, annotations_of(function), args, kwargs)


def _bind_by_name(entry: WorkflowEntry, data: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    known = [each.name for each in entry.parameters if each.kind in _BY_NAME]
    takes_any = any(each.kind == "VAR_KEYWORD" for each in entry.parameters)
    unknown = [name for name in data if name not in known]
    if unknown and not takes_any:
        raise BadInput(_unknown(entry, unknown[0], known), field=unknown[0])
    args: list[Any] = []
    for parameter in _only_by_place(entry):
        if parameter.name not in data:
            break
        args.append(data[parameter.name])
    by_place = [each.name for each in _only_by_place(entry)]
    return args, {name: value for name, value in data.items() if name not in by_place}


def _bind_by_place(entry: WorkflowEntry, data: list[Any]) -> tuple[list[Any], dict[str, Any]]:
    places = [each for each in entry.parameters if each.kind in _BY_PLACE]
    takes_any = any(each.kind == "VAR_POSITIONAL" for each in entry.parameters)
    if len(data) > len(places) and not takes_any:
        raise BadInput(f"the workflow {entry.name!r} takes {_count(len(places))}, the input has {len(data)}")
    if len(data) > len(places):
        return list(data), {}
    fixed = len(_only_by_place(entry))
    named = zip(places[fixed:], data[fixed:], strict=False)
    return list(data[:fixed]), {each.name: value for each, value in named}


def _require_all(entry: WorkflowEntry, args: list[Any], kwargs: dict[str, Any]) -> None:
    given = {each.name for each, _ in zip(_places(entry), args, strict=False)} | kwargs.keys()
    missing = [each.name for each in entry.parameters if each.required and each.name not in given]
    missing = [name for name in missing if _kind_of(entry, name) in {*_BY_NAME}]
    if missing:
        names = ", ".join(missing)
        raise BadInput(
            f"the workflow {entry.name!r} needs a value for {names}: give it in the input, {_example(entry)}",
            field=missing[0],
        )


def _decoded(
    entry: WorkflowEntry, hints: Mapping[str, Any], args: list[Any], kwargs: dict[str, Any]
) -> Arguments:
    places = _places(entry)
    rest = next((each.name for each in entry.parameters if each.kind == "VAR_POSITIONAL"), "")
    others = next((each.name for each in entry.parameters if each.kind == "VAR_KEYWORD"), "")
    names = [places[index].name if index < len(places) else rest for index in range(len(args))]
    known = {each.name for each in entry.parameters}
    return Arguments(
        tuple(_convert(entry, name, value, hints) for name, value in zip(names, args, strict=True)),
        {
            name: _convert(entry, name, value, {name: hints.get(name if name in known else others, Any)})
            for name, value in _in_order(entry, kwargs)
        },
    )


def _convert(entry: WorkflowEntry, name: str, value: Any, hints: Mapping[str, Any]) -> Any:
    try:
        return from_plain(value, hints.get(name, Any), label=name, strict=True)
    except (BadInput, ValueError, TypeError) as error:
        place = "" if str(error).startswith(name) else f"{name}: "
        raise BadInput(f"the input of {entry.name!r}: {place}{error}", field=name) from None


@lru_cache(256)
def annotations_of(function: Callable[..., Any]) -> Mapping[str, Any]:
    """Return the annotations that can be evaluated; a value for another one stays as it is."""
    try:
        return typing.get_type_hints(function, include_extras=True)
    except Exception:
        return _each_hint(function)


def _each_hint(function: Callable[..., Any]) -> dict[str, Any]:
    hints: dict[str, Any] = {}
    try:
        annotations = function.__annotations__
    except Exception:
        return hints
    for name, annotation in annotations.items():
        hint = _evaluated(annotation, getattr(function, "__globals__", {}))
        if hint is not None:
            hints[name] = hint
    return hints


def _evaluated(annotation: Any, names: dict[str, Any]) -> Any:
    if not isinstance(annotation, str):
        return annotation
    try:
        return eval(annotation, names)
    except Exception:
        return None


def _places(entry: WorkflowEntry) -> list[Parameter]:
    return [each for each in entry.parameters if each.kind in _BY_PLACE]


def _only_by_place(entry: WorkflowEntry) -> list[Parameter]:
    return [each for each in entry.parameters if each.kind == "POSITIONAL_ONLY"]


def _kind_of(entry: WorkflowEntry, name: str) -> str:
    return next(each.kind for each in entry.parameters if each.name == name)


def _in_order(entry: WorkflowEntry, kwargs: dict[str, Any]) -> Iterable[tuple[str, Any]]:
    """In the order of the parameters, so that the order of a JSON object makes no other input."""
    known = [each.name for each in entry.parameters if each.name in kwargs]
    return [(name, kwargs[name]) for name in (*known, *(name for name in kwargs if name not in known))]


def _unknown(entry: WorkflowEntry, name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, 1)
    takes = f"it takes {', '.join(known)}" if known else "it takes none"
    return f"the workflow {entry.name!r} has no parameter {name!r}; " + (
        f"did you mean {near[0]!r}?" if near else takes
    )


def _example(entry: WorkflowEntry) -> str:
    names = [each.name for each in entry.parameters if each.kind in _BY_NAME and each.required]
    return "{" + ", ".join(f'"{name}": ...' for name in names or ["name"]) + "}"


def _count(number: int) -> str:
    return "no value" if number == 0 else "one value" if number == 1 else f"{number} values"


def _kind(data: Any) -> str:
    if data is None:
        return "null"
    kinds: dict[type, str] = {bool: "a boolean", int: "a number", float: "a number", str: "a text"}
    return kinds.get(type(data), "no object")
