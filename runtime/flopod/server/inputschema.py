"""What there is to know of a workflow before it is started: its docstring, the JSON schema of its input."""

import inspect
import math
import operator
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

from flopod.codec import json_schema
from flopod.engine.inputs import annotations_of
from flopod.manifest import Manifest, Parameter, WorkflowEntry
from flopod.server.host import WorkflowInfo

Schema = dict[str, Any]

_NAMED = ("POSITIONAL_ONLY", "POSITIONAL_OR_KEYWORD", "KEYWORD_ONLY")


def workflow_infos(
    manifest: Manifest, import_module: Callable[[str], ModuleType]
) -> tuple[WorkflowInfo, ...]:
    """Return what can be started, in the order of the names. Imports what the workflows stand in."""
    entries = [manifest.workflows[name] for name in sorted(manifest.workflows)]
    return tuple(_info(entry, function_of(entry, import_module)) for entry in entries)


def function_of(entry: WorkflowEntry, import_module: Callable[[str], ModuleType]) -> Callable[..., Any]:
    """Return the function of a workflow."""
    found: Callable[..., Any] = operator.attrgetter(entry.function)(import_module(entry.module))
    return found


def _info(entry: WorkflowEntry, function: Callable[..., Any]) -> WorkflowInfo:
    return WorkflowInfo(entry, inspect.getdoc(function) or "", input_schema(entry, function))


def input_schema(entry: WorkflowEntry, function: Callable[..., Any]) -> Schema:
    """Return the schema of an object with the parameters by name, as `engine.inputs.bind` takes it."""
    definitions: Schema = {}
    properties: Schema = {}
    hints, defaults = annotations_of(function), _defaults(function)
    for each in entry.parameters:
        if each.kind in _NAMED:
            properties[each.name] = _parameter(each, hints, defaults, definitions)
    schema: Schema = {"type": "object", "properties": properties}
    required = [each.name for each in entry.parameters if each.required and each.kind in _NAMED]
    if required:
        schema["required"] = required
    schema["additionalProperties"] = _others(entry, hints, definitions)
    if definitions:
        schema["$defs"] = definitions
    return schema


def _parameter(
    parameter: Parameter, hints: Mapping[str, Any], defaults: Mapping[str, Any], definitions: Schema
) -> Schema:
    schema = _hoisted(json_schema(hints.get(parameter.name, Any)) or {}, parameter.name, definitions)
    if parameter.name in defaults:
        schema = {**schema, "default": defaults[parameter.name]}
    return schema


def _others(entry: WorkflowEntry, hints: Mapping[str, Any], definitions: Schema) -> Schema | bool:
    """What arguments may be that no parameter names."""
    name = next((each.name for each in entry.parameters if each.kind == "VAR_KEYWORD"), None)
    if name is None:
        return False
    return _hoisted(json_schema(hints.get(name, Any)) or {}, name, definitions) or True


def _defaults(function: Callable[..., Any]) -> dict[str, Any]:
    """The defaults that JSON can say as they are."""
    found: dict[str, Any] = {}
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return found
    for each in parameters:
        if each.default is not each.empty and _can_be_said(each.default):
            found[each.name] = each.default
    return found


def _can_be_said(value: Any) -> bool:
    return isinstance(value, str | int | None) or (isinstance(value, float) and math.isfinite(value))


def _hoisted(schema: Schema, parameter: str, definitions: Schema) -> Schema:
    """The schema without its own definitions, which go to those of the whole input under free names."""
    own = schema.get("$defs", {})
    names = {name: _free(name, one, parameter, definitions) for name, one in own.items()}
    definitions.update((names[name], _renamed(one, names)) for name, one in own.items())
    found: Schema = _renamed({key: value for key, value in schema.items() if key != "$defs"}, names)
    return found


def _free(name: str, schema: Schema, parameter: str, definitions: Schema) -> str:
    """The name itself, unless something else has it: classes of two modules may be called alike."""
    return name if definitions.get(name, schema) == schema else f"{name}.{parameter}"


def _renamed(node: Any, names: Mapping[str, str]) -> Any:
    if isinstance(node, list):
        return [_renamed(each, names) for each in node]
    if not isinstance(node, dict):
        return node
    found = {key: _renamed(value, names) for key, value in node.items()}
    reference = node.get("$ref")
    if isinstance(reference, str):
        before, _, name = reference.rpartition("/")
        found["$ref"] = f"{before}/{names.get(name, name)}"
    return found
