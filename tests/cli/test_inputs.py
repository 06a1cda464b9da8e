"""Input from the command line: where it is read, how it is bound, and what is said when it is wrong."""

import io
import sys
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from flopod.engine.inputs import Arguments, bind, parse_json, read_input
from flopod.errors import BadInput
from flopod.manifest import Parameter, WorkflowEntry

if TYPE_CHECKING:
    from nowhere import Missing


@dataclass
class Line:
    sku: str
    qty: int


async def order(
    wf: Any, order_id: str, lines: list[Line], total: Decimal = Decimal(0), *, note: str = ""
) -> None:
    """A workflow with every usual kind of parameter."""


ORDER = WorkflowEntry(
    "order",
    "shop",
    "order",
    parameters=[
        Parameter("order_id"),
        Parameter("lines"),
        Parameter("total", required=False),
        Parameter("note", "KEYWORD_ONLY", required=False),
    ],
)


def test_an_object_binds_by_name_and_decodes() -> None:
    """Each value becomes an instance of the annotated type."""
    bound = bind(ORDER, order, {"lines": [{"sku": "a", "qty": 2}], "order_id": "A-1", "total": "1.50"})
    assert bound == Arguments((), {"order_id": "A-1", "lines": [Line("a", 2)], "total": Decimal("1.50")})


def test_the_order_of_names_makes_no_other_input() -> None:
    """Two spellings of one call are recorded alike."""
    one = bind(ORDER, order, {"order_id": "A", "lines": []})
    other = bind(ORDER, order, {"lines": [], "order_id": "A"})
    assert list(one.kwargs) == list(other.kwargs)
    assert one == other == bind(ORDER, order, ["A", []])


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"order_id": "A"}, ["'order'", "lines", "in the input"]),
        ({}, ["order_id, lines"]),
        ({"order_id": "A", "lines": [], "nte": "x"}, ["'nte'", "did you mean 'note'?"]),
        ({"order_id": "A", "lines": [{"sku": "a", "qty": "two"}]}, ["lines[0].qty", "int"]),
        (
            {"order_id": "A", "lines": [{"sku": "a", "qty": 1, "qtty": 2}]},
            ["lines[0]: there is no field 'qtty'", "did you mean 'qty'?"],
        ),
        ({"order_id": 7, "lines": []}, ["order_id", "str"]),
        (["A", [], 0, "note", 5], ["takes 3 values", "has 5"]),
        ("A", ["is a text", "object"]),
        (None, ["is null"]),
    ],
)
def test_wrong_input_names_the_parameter(data: Any, words: list[str]) -> None:
    """A person reads which parameter is wrong and what it should be."""
    with pytest.raises(BadInput) as caught:
        bind(ORDER, order, data)
    assert caught.value.exit_code == 2
    for word in words:
        assert word in str(caught.value)


def test_a_parameter_is_named_however_short_its_name_is() -> None:
    """The name is not taken for a part of the message."""

    async def short(wf: Any, x: int) -> None: ...

    entry = WorkflowEntry("short", "m", "short", parameters=[Parameter("x")])
    with pytest.raises(BadInput, match="the input of 'short': x: Expected"):
        bind(entry, short, {"x": "one"})


def test_variable_parameters_take_the_rest() -> None:
    """`*args` and `**kwargs` receive what no parameter names, decoded by their annotation."""

    async def collect(wf: Any, first: str, /, *rest: int, **named: Decimal) -> None: ...

    kinds = ["POSITIONAL_ONLY", "VAR_POSITIONAL", "VAR_KEYWORD"]
    parameters = [
        Parameter(name, kind, required=not index)
        for index, (name, kind) in enumerate(zip(["first", "rest", "named"], kinds, strict=True))
    ]
    entry = WorkflowEntry("collect", "m", "collect", parameters=parameters)
    assert bind(entry, collect, ["a", 1, 2]) == Arguments(("a", 1, 2), {})
    assert bind(entry, collect, {"first": "a", "x": "2.5"}) == Arguments(("a",), {"x": Decimal("2.5")})
    with pytest.raises(BadInput, match="rest"):
        bind(entry, collect, ["a", "one"])


def test_a_type_that_cannot_be_resolved_leaves_the_value_as_it_is() -> None:
    """An annotation for type checkers only does not keep a workflow from starting."""

    async def lazy(wf: Any, thing: "Missing", count: "int") -> None: ...

    entry = WorkflowEntry("lazy", "m", "lazy", parameters=[Parameter("thing"), Parameter("count")])
    assert bind(entry, lazy, {"thing": {"a": 1}, "count": 2}).kwargs == {"thing": {"a": 1}, "count": 2}
    with pytest.raises(BadInput, match="count"):
        bind(entry, lazy, {"thing": 1, "count": "two"})


def test_input_is_read_from_a_file_or_standard_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`@FILE` and `-` name places to read JSON from."""
    file = tmp_path / "input.json"
    file.write_text('{"a": "é"}', encoding="utf-8")
    monkeypatch.setattr(sys, "stdin", io.StringIO("[1]"))
    assert (read_input(f"@{file}"), read_input("-"), read_input("{}")) == ({"a": "é"}, [1], {})


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ('{"order_id": A-1}', ["line 1, column 14", '{"order_id": A-1}\n               ^']),
        ("", ["the input is empty"]),
        ("@/no/such/file", ["cannot read /no/such/file", "No such file"]),
        ("[" * 100_000, ["nested too deeply"]),
    ],
)
def test_input_that_is_no_json_is_shown_with_its_place(spec: str, words: list[str]) -> None:
    """Malformed JSON is an error with line, column and the text around it."""
    with pytest.raises(BadInput) as caught:
        read_input(spec)
    for word in words:
        assert word in str(caught.value)


def test_a_name_that_stands_twice_in_an_object_is_refused() -> None:
    """JSON decoders keep the last of two; an input that loses a value is an error."""
    with pytest.raises(BadInput, match="'n' twice"):
        parse_json('{"n": 1, "n": 2}', "the input")
