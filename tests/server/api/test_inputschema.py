"""The schema of a workflow's input, and the binding that it describes."""

import inspect
from dataclasses import dataclass
from typing import Any

import pytest

from flopod.codec import check_schema
from flopod.engine.inputs import bind
from flopod.errors import BadInput
from flopod.manifest import Parameter, WorkflowEntry
from flopod.server.inputschema import input_schema


@dataclass
class Line:
    sku: str
    qty: int = 1


class Other:
    @dataclass
    class Line:
        text: str


async def plain(a: int, b: str = "x", *, c: float | None = None) -> None:
    """..."""


async def placed(a: int, /, b: list[Line]) -> None:
    """..."""


async def anything(*rest: int, **more: Line) -> None:
    """..."""


async def alike(one: Line, two: Other.Line, three: list[Line]) -> None:
    """..."""


async def untyped(a, b=None):  # type: ignore[no-untyped-def]
    """..."""


def entry(function: Any) -> WorkflowEntry:
    """The entry that the compiler would make."""
    parameters = [
        Parameter(name=each.name, kind=each.kind.name, required=each.default is each.empty)
        for each in inspect.signature(function).parameters.values()
    ]
    return WorkflowEntry(
        name=function.__name__, module=__name__, function=function.__name__, parameters=parameters
    )


CASES: list[tuple[Any, list[dict[str, Any]], list[dict[str, Any]]]] = [
    (
        plain,
        [{"a": 1}, {"a": 1, "b": "y", "c": None}],
        [{}, {"a": "1"}, {"a": 1, "d": 2}, {"a": 1, "c": "x"}],
    ),
    (placed, [{"a": 1, "b": [{"sku": "x"}]}], [{"a": 1}, {"a": 1, "b": [{"qty": 1}]}]),
    (anything, [{}, {"x": {"sku": "a"}}], [{"x": 5}]),
    (
        alike,
        [{"one": {"sku": "a"}, "two": {"text": "b"}, "three": [{"sku": "c"}]}],
        [{"one": {"sku": "a"}, "two": {"sku": "b"}, "three": []}],
    ),
    (untyped, [{"a": 1}, {"a": [None], "b": {}}], [{}, {"a": 1, "c": 1}]),
]


@pytest.mark.parametrize(("function", "good", "bad"), CASES, ids=lambda one: getattr(one, "__name__", ""))
def test_the_schema_takes_what_the_binding_takes(function: Any, good: Any, bad: Any) -> None:
    """And refuses what it refuses: a form made of it cannot lead astray."""
    schema = input_schema(entry(function), function)
    for data in good:
        check_schema(schema, data)
        bind(entry(function), function, data)
    for data in bad:
        with pytest.raises(BadInput):
            check_schema(schema, data)
        with pytest.raises(BadInput):
            bind(entry(function), function, data)


def test_defaults_are_shown() -> None:
    """Those that JSON can say."""
    properties = input_schema(entry(plain), plain)["properties"]
    assert properties["b"]["default"] == "x"
    assert properties["c"]["default"] is None
    assert "default" not in properties["a"]


@pytest.mark.parametrize("default", [float("inf"), float("nan")])
def test_a_number_that_json_has_not_is_no_default(default: float) -> None:
    """It would be written as null, which is no number."""

    def limited(most: float = default) -> None: ...

    assert input_schema(entry(limited), limited)["properties"] == {"most": {"type": "number"}}
