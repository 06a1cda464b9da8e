"""The OpenAPI 3.1 document of the API, made of the table of operations and the types that they name."""

import re
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any

import msgspec

from flopod.server import types as t
from flopod.server.host import WorkflowInfo
from flopod.server.operations import OPERATIONS, Answer, Operation
from flopod.server.problem import PROBLEM_TYPE
from flopod.server.problems import Problem
from flopod.server.reading import JSON, SSE

Document = dict[str, Any]

_REFERENCE = "#/components/schemas/{name}"
_PROBLEMS = (400, 401, 403, 406, 408, 413, 414, 415, 421, 431, 500, 503, 507)
"""Refusals that any request can meet."""

_PATH: Mapping[str, Document] = {
    "run_id": {"type": "string", "pattern": t.RUN_ID},
    "name": {"type": "string", "minLength": 1},
    "token": {"type": "string", "minLength": 1},
}
_HEADERS: Mapping[str, Document] = {
    "Idempotency-Key": {
        "description": "The same key with the same body is the same run, for seven days at least.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
    },
    "Last-Event-ID": {
        "description": "The id of the event that was seen last, when following.",
        "schema": {"type": "string", "pattern": "^[0-9]{0,15}$"},
    },
}
_EVENT: Document = {
    "type": "object",
    "properties": {name: {"type": "string"} for name in ("id", "event", "data")},
    "required": ["data"],
}
_ABOUT = """\
Starts, shows and steers runs of the workflows of one build.

Times are RFC 3339 in UTC; those inside of recorded events are milliseconds since the epoch. Errors are
RFC 9457 problems: 400 is a request that does not fit this document, 422 one that fits it, but not the
workflow, the run or the calendar.
"""


def document(workflows: Sequence[WorkflowInfo], *, title: str, version: str, token: bool) -> Document:
    """Return the document; `token` says that requests have to be authenticated."""
    components = _components(workflows)
    found: Document = {
        "openapi": "3.1.0",
        "info": {"title": title, "version": version, "description": _ABOUT},
        "paths": _paths(token),
        "components": {"schemas": components},
    }
    if token:
        found["components"]["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer"}}
    return found


def _paths(token: bool) -> Document:
    paths: Document = {}
    for each in OPERATIONS:
        paths.setdefault(each.path, {})[each.method.lower()] = _operation(each, token)
    return paths


def _operation(each: Operation, token: bool) -> Document:
    found: Document = {
        "operationId": each.name,
        "summary": each.summary,
        "tags": [each.path.split("/")[1]],
        "parameters": list(_parameters(each)),
        "responses": _responses(each),
    }
    if each.body is not None:
        content = {JSON: {"schema": _schema(each.body)}}
        found["requestBody"] = {"required": not each.optional, "content": content}
    if token:
        found["security"] = [] if each.open else [{"bearer": []}]
    return found


def _parameters(each: Operation) -> Iterator[Document]:
    for name in re.findall(r"{(\w+)}", each.path):
        yield {"name": name, "in": "path", "required": True, "schema": _path_schema(each, name)}
    for field in msgspec.structs.fields(each.query):
        yield {"name": field.encode_name, "in": "query", "schema": _query_schema(each.query, field.name)}
    for name in each.headers:
        yield {"name": name, "in": "header", **_HEADERS[name]}


def _path_schema(each: Operation, name: str) -> Mapping[str, Any]:
    return _PATH["run_id"] if each.path.startswith("/schedules") else _PATH[name]


def _query_schema(query: type[Any], name: str) -> Document:
    schema: Document = msgspec.json.schema(query)["$defs"][query.__name__]["properties"][name]
    return schema


def _responses(each: Operation) -> Document:
    found = {str(status): _answer(answer) for status, answer in each.answers.items()}
    for status in sorted({*each.problems, *_PROBLEMS} - each.answers.keys()):
        found[str(status)] = {
            "description": HTTPStatus(status).phrase,
            "content": {PROBLEM_TYPE: {"schema": _schema(Problem)}},
        }
    return found


def _answer(answer: Answer) -> Document:
    found: Document = {"description": answer.about}
    if answer.kinds:
        found["content"] = {kind: {"schema": _held(kind, type)} for kind, type in answer.kinds.items()}
    if answer.has_location:
        text = {"type": "string", "format": "uri-reference"}
        found["headers"] = {"Location": {"required": True, "schema": text}}
    return found


def _held(kind: str, held: type[Any]) -> Document:
    if kind != SSE and held in (str, dict):
        return {"type": "string" if held is str else "object"}
    return _EVENT if kind == SSE else _schema(held)


def _schema(kind: type[Any]) -> Document:
    return {"$ref": _REFERENCE.format(name=kind.__name__)}


def _components(workflows: Sequence[WorkflowInfo]) -> Document:
    kinds = {kind for each in OPERATIONS for kind in _kinds(each)} | {Problem, t.EventRecord}
    ordered = sorted(kinds, key=lambda kind: kind.__name__)
    _, components = msgspec.json.schema_components(ordered, ref_template=_REFERENCE)
    components["EventPage"]["properties"]["events"]["items"] = _schema(t.EventRecord)
    for name in ("StartRun", "NewSchedule", "SetSchedule"):
        if workflows:
            components |= _by_workflow(name, components[name], workflows)
    return dict(sorted(components.items()))


def _kinds(each: Operation) -> Iterator[type[Any]]:
    if each.body is not None:
        yield each.body
    for answer in each.answers.values():
        yield from (kind for kind in answer.kinds.values() if kind not in (str, dict))


def _by_workflow(name: str, schema: Document, workflows: Sequence[WorkflowInfo]) -> Document:
    """A body that names a workflow, as one of those that there are, each with its own input."""
    found: Document = {}
    for place, info in enumerate(workflows):
        own = f"{name}.{_key(info.entry.name, place)}"
        input, inner = _placed(dict(info.schema), own)
        properties = {
            **schema["properties"],
            "workflow": {"type": "string", "const": info.entry.name},
            "input": {"anyOf": [input, {"type": "array"}]},
        }
        wanted = [*schema["required"], *(["input"] if info.schema.get("required") else [])]
        about = {"description": info.description} if info.description else {}
        found |= inner
        found[own] = {**schema, "title": own, "properties": properties, "required": wanted, **about}
    arms = [{"$ref": _REFERENCE.format(name=key)} for key in found if found[key].get("title") == key]
    return {**found, name: {"description": schema.get("description", ""), "oneOf": arms}}


def _key(workflow: str, place: int) -> str:
    """A workflow as part of the name of a component, which takes fewer characters."""
    return workflow if re.fullmatch(r"[A-Za-z0-9_.-]+", workflow) else f"workflow{place}"


def _placed(schema: Document, prefix: str) -> tuple[Document, Document]:
    """A schema whose definitions are components, and these."""
    definitions = schema.pop("$defs", {})
    moved = {f"{prefix}.{name}": _referring(one, prefix) for name, one in definitions.items()}
    return _referring(schema, prefix), moved


def _referring(node: Any, prefix: str) -> Any:
    if isinstance(node, list):
        return [_referring(each, prefix) for each in node]
    if not isinstance(node, dict):
        return node
    found: Document = {key: _referring(value, prefix) for key, value in node.items()}
    reference = node.get("$ref")
    if isinstance(reference, str) and reference.startswith("#/$defs/"):
        found["$ref"] = _REFERENCE.format(name=f"{prefix}.{reference.removeprefix('#/$defs/')}")
    return found
