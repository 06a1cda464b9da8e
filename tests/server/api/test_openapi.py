"""The document of the API: true to the types, to the routes, and to what is answered."""

import json
from typing import Any

import jsonschema_rs
import pytest

from flopod.server.operations import OPERATIONS
from flopod.server.settings import Settings
from tests.server.api.hostile import hostile
from tests.server.api.world import SECRET, World, within


def document(**settings: Any) -> Any:
    async def use(world: World) -> Any:
        return await world.get(200, "/openapi.json")

    return within(use, settings=Settings(secret=SECRET, **settings))


def test_nothing_that_schemathesis_thinks_of_is_answered_wrongly() -> None:
    """Every operation, with data that fits and data that does not: no crash, no undocumented answer."""
    found = hostile(examples=6)
    assert not found.wrong, "\n\n".join(found.wrong)
    assert found.operations >= len(OPERATIONS)
    assert found.cases > 1000


def test_the_document_has_every_operation_and_no_dead_reference() -> None:
    """With an id, a summary and its errors; references lead somewhere."""
    found = document()
    asked = {(method, path) for path, item in found["paths"].items() for method in item}
    assert asked == {(each.method.lower(), each.path) for each in OPERATIONS}
    ids = [one["operationId"] for item in found["paths"].values() for one in item.values()]
    assert len(set(ids)) == len(ids)
    known = {f"#/components/schemas/{name}" for name in found["components"]["schemas"]}
    assert set(_references(found)) <= known
    assert set(_references(found)) | {"#/components/schemas/EventRecord"} >= known - _alternatives(found)


def _references(node: Any) -> Any:
    if isinstance(node, dict):
        yield from ([node["$ref"]] if isinstance(node.get("$ref"), str) else [])
        for each in node.values():
            yield from _references(each)
    elif isinstance(node, list):
        for each in node:
            yield from _references(each)


def _alternatives(found: Any) -> set[str]:
    return {f"#/components/schemas/{name}" for name in found["components"]["schemas"] if "." in name}


def test_the_body_of_a_start_is_described_for_each_workflow() -> None:
    """An editor or a generated client knows the input of each; what the schema takes, the server takes."""
    schemas = document()["components"]["schemas"]
    validator = jsonschema_rs.validator_for(
        {"$ref": "#/components/schemas/StartRun", "components": {"schemas": schemas}}
    )
    order = {"id": "a", "lines": [{"sku": "x"}]}
    assert validator.is_valid({"workflow": "total", "input": {"order": order}})
    assert not validator.is_valid({"workflow": "total", "input": {"order": {**order, "lines": [5]}}})
    assert not validator.is_valid({"workflow": "total"})
    assert not validator.is_valid({"workflow": "greet", "input": {"order": order}})


@pytest.mark.parametrize("token", [None, "a token of sixteen"])
def test_a_server_with_a_token_says_that_it_wants_it(token: str | None) -> None:
    """Where it does; health and links are open."""
    found = document(token=token)
    assert ("securitySchemes" in found["components"]) is (token is not None)
    assert found["paths"]["/runs"]["get"].get("security") == (None if token is None else [{"bearer": []}])
    assert found["paths"]["/healthz"]["get"].get("security") == (None if token is None else [])


def test_the_document_is_made_once() -> None:
    """It costs milliseconds, and is the same until there is another build."""

    async def use(world: World) -> None:
        first = world.app.state.describe()
        assert world.app.state.describe() is first
        assert json.loads(first)["openapi"] == "3.1.0"

    within(use)
