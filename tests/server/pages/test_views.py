"""The view models: forms of schemas, colours of source, scales of time, the course of a run."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from flopod.errors import BadInput
from flopod.events import (
    ActivityFailed,
    ActivityStarted,
    Event,
    IterationCompleted,
    Record,
    RunCompleted,
    RunFailed,
    RunRewound,
    RunStarted,
    SleepStarted,
    VarChanged,
    WaitStarted,
)
from flopod.manifest import PathEntry
from flopod.server.pages.jsonview import data_html, json_html
from flopod.server.views.course import Course
from flopod.server.views.forms import blame, form_of, read
from flopod.server.views.highlight import highlighted
from flopod.server.views.places import Places
from flopod.server.views.timescale import Scale
from flopod.server.views.variables import variables
from flopod.server.views.waterfall import waterfall
from flopod.server.views.words import duration


def records(*events: Event) -> list[Record]:
    return [Record(seq, event) for seq, event in enumerate(events, 1)]


BEGIN = RunStarted(workflow="w", input=Raw(b"{}"), at=1000)


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (0, "0 ms"),
        (999, "999 ms"),
        (1240, "1.24 s"),
        (9999, "10 s"),
        (61_000, "1 min 1 s"),
        (3_600_000, "1 h"),
        (273_600_000, "3 d 4 h"),
        (-5, "0 ms"),
    ],
)
def test_durations_have_their_two_largest_units(ms: int, text: str) -> None:
    """Short ones are precise, long ones short."""
    assert duration(ms) == text


@pytest.mark.parametrize(
    ("schema", "submitted", "value"),
    [
        ({"type": "string"}, {"payload": ["x"]}, "x"),
        ({"type": "string"}, {}, ""),
        ({"type": "integer"}, {"payload": [" 7 "]}, 7),
        ({"type": "number"}, {"payload": ["0.5"]}, 0.5),
        ({"type": "boolean"}, {"payload": ["false"]}, False),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, {"payload": [""]}, None),
        ({"type": ["integer", "null"]}, {"payload": ["3"]}, 3),
        ({"enum": ["a", 1, None]}, {"payload": ["1"]}, 1),
        ({"enum": ["a", None]}, {"payload": [""]}, None),
        ({"type": "array", "items": {"type": "integer"}}, {"payload": ["1\r\n2\r\n"]}, [1, 2]),
        ({"type": "array", "items": {"enum": ["a", "b"]}}, {"payload": ['"a"', '"b"']}, ["a", "b"]),
        ({"type": "array", "items": {"type": "object"}}, {"payload": ['[{"x": 1}]']}, [{"x": 1}]),
        ({"anyOf": [{"type": "integer"}, {"type": "string"}]}, {"payload": ["5"]}, 5),
        ({}, {"payload": ["null"]}, None),
        (None, {"payload": ['{"any": "thing"}']}, {"any": "thing"}),
    ],
)
def test_a_form_reads_what_its_schema_means(schema: Any, submitted: Any, value: Any) -> None:
    """Each kind of field gives the JSON value of its type."""
    assert read(form_of(schema), submitted) == value


NESTED = {
    "$ref": "#/$defs/A",
    "$defs": {
        "A": {
            "type": "object",
            "properties": {
                "n": {"type": "integer"},
                "b": {"anyOf": [{"$ref": "#/$defs/B"}, {"type": "null"}]},
                "t": {"type": "string", "default": "d"},
            },
            "required": ["n", "b"],
        },
        "B": {
            "type": "object",
            "properties": {"x/y": {"type": "string"}, "z": {"type": "number"}},
            "required": ["x/y", "z"],
        },
    },
}


def test_a_group_that_may_be_null_is_null_when_nothing_is_filled_in() -> None:
    """Once something is, all that it needs is needed."""
    assert read(form_of(NESTED), {"payload/n": ["1"]}) == {"n": 1, "b": None}
    filled = {"payload/n": ["1"], "payload/b/x~1y": ["q"], "payload/b/z": ["2"], "payload/t": ["e"]}
    assert read(form_of(NESTED), filled) == {"n": 1, "b": {"x/y": "q", "z": 2}, "t": "e"}
    with pytest.raises(BadInput) as caught:
        read(form_of(NESTED), {"payload/n": ["1"], "payload/b/x~1y": ["q"]})
    assert caught.value.field == "b.z"


def test_an_error_stands_at_the_nearest_field() -> None:
    """One inside of an array is at the array; one without a place is of the form as a whole."""
    form = form_of({"type": "object", "properties": {"tags": {"type": "array", "items": {"type": "string"}}}})
    assert blame(form, BadInput("wrong", field="tags[3]")) == ""
    assert form.fields[0].error == "tags[3]: wrong"
    assert blame(form, BadInput("all of it", field="tags")) == ""
    assert form.fields[0].error == "all of it"
    assert blame(form_of(NESTED), BadInput("all wrong")) == "all wrong"


@given(
    st.recursive(
        st.sampled_from(
            [
                {"type": "string"},
                {"type": "integer"},
                {"type": "boolean"},
                {},
                {"$ref": "#"},
                {"enum": []},
                {"type": "nope"},
                {"anyOf": []},
                True,
            ]
        ),
        lambda inner: (
            st.builds(
                lambda a, b: {"type": "object", "properties": {"a": a, "b": b}, "required": ["a"]},
                inner,
                inner,
            )
            | st.builds(lambda a: {"type": "array", "items": a}, inner)
        ),
    )
)
def test_any_schema_has_a_form(schema: Any) -> None:
    """Odd and recursive ones, too; what it reads is JSON or an error at a field."""
    form = form_of(schema)
    names = [field.name for field in form.all()]
    assert len(names) == len(set(names))
    try:
        json.dumps(read(form, {name: ["1"] for name in names}))
    except BadInput as error:
        blame(form, error)


SOURCE = '''@decorated
async def f(x: int = 0x1F) -> "str":
    """Two
    lines."""
    match x:
        case 1: return f"{x!r:>{3}} {{}}"  # why
    match = x.type
    return match(type=1)
'''


def test_colours_change_no_character() -> None:
    """The spans of a line make up the line, whatever the version of the tokenizer."""
    lines = highlighted(SOURCE)
    assert ["".join(span.text for span in line) for line in lines] == SOURCE.splitlines()
    classes = {(span.css, span.text) for line in lines for span in line}
    assert {
        ("key", "async"),
        ("key", "match"),
        ("key", "return"),
        ("fn", "f"),
        ("num", "0x1F"),
        ("com", "# why"),
    } <= classes
    assert not {("key", "type"), ("bui", "type")} & classes, "an attribute and an argument are no builtin"
    assert [span.css for span in lines[3]][-1] == "str"


@given(st.text(alphabet=st.sampled_from("\"'f{}()\n\\ #xdef:=é\t"), max_size=60))
def test_no_source_breaks_the_colours(source: str) -> None:
    """What is no Python is shown as it is."""
    assert ["".join(span.text for span in line) for line in highlighted(source)] == source.splitlines()


@given(st.lists(st.tuples(st.integers(0, 10**10), st.integers(0, 10**6)), max_size=8), st.integers(1, 10**10))
def test_a_scale_keeps_the_order_of_time(spans: list[tuple[int, int]], until: int) -> None:
    """Whatever is cut short, an earlier time is never drawn after a later one, and all is in the picture."""
    busy = [(min(since, until), min(since + length, until)) for since, length in spans]
    scale = Scale(0, until, busy)
    times = sorted({0, until, *(edge for span in busy for edge in span)})
    places = [scale.x(at) for at in times]
    assert places == sorted(places)
    assert 0 <= places[0] <= places[-1] <= 100.0001
    assert len(scale.ticks()) <= 6 * len(scale.pieces) + 8


def test_days_of_waiting_leave_room_for_what_was_done() -> None:
    """Two calls around a wait of two days are still seen."""
    scale = Scale(0, 172_800_000, [(0, 1000), (172_799_000, 172_800_000)])
    assert scale.x(1000) > 25
    assert [piece.cut for piece in scale.pieces] == [False, True, False]


def test_tries_of_a_leaf_have_their_times() -> None:
    """A try begins when it was due, and what is open when the run ends was cancelled with it."""
    course = Course(
        records(
            BEGIN,
            ActivityStarted(path="a", callee="m:a", fingerprint="", at=1000),
            SleepStarted(path="s", due=99_000, at=1000),
            ActivityFailed(
                path="a",
                attempt=1,
                error=Raw(b'{"$":"exception","type":"builtins:OSError","args":["x"]}'),
                next_try=1500,
                at=1200,
            ),
            ActivityFailed(path="a", attempt=2, error=Raw(b"null"), at=1700),
            RunCompleted(result=Raw(b"1"), at=1800),
        )
    )
    leaf = course.operations["a"]
    assert [(one.begun, one.ended) for one in leaf.attempts] == [(1000, 1200), (1500, 1700)]
    assert (leaf.state, course.operations["s"].state) == ("failed", "cancelled")
    rows = waterfall(course, 5000).rows
    assert [bar.kind for bar in rows[0].bars] == ["failed", "pause", "failed"]


def test_what_a_retry_has_taken_back_is_not_shown_as_done() -> None:
    """After a rewind the failed end is no end, and there is a mark for the time between."""
    course = Course(
        records(
            BEGIN,
            ActivityStarted(path="a", callee="m:a", fingerprint="", at=1000),
            ActivityFailed(path="a", attempt=1, error=Raw(b"null"), at=1100),
            RunFailed(error=Raw(b"null"), traceback="Traceback", at=1100),
            RunRewound(to=2, path="a", at=9000),
        )
    )
    assert (course.ended, course.failure, course.operations["a"].state) == (None, None, "running")
    assert [(mark.kind, mark.since, mark.at) for mark in course.marks] == [("rewound", 1100, 9000)]


def test_paths_in_a_recursion_belong_to_its_lines() -> None:
    """However deep a workflow calls itself, an operation is at the line of its call."""
    places = Places(
        [
            PathEntry("walk", "call", "m:walk", "m.py", 3),
            PathEntry("walk/visit", "activity", "m:visit", "m.py", 7),
            PathEntry("walk/nodes[*]/walk", "call", "m:walk", "m.py", 9),
            PathEntry("walk/nodes[*]/walk/**", "recursion", "m:walk", "m.py", 9),
        ]
    )
    assert places.of("walk/nodes[1]/walk/nodes[0]/walk/visit").line == 7  # type: ignore[union-attr]
    assert places.of("walk/nodes[1]/walk/nodes[0]/walk").line == 9  # type: ignore[union-attr]
    assert places.of("other") is None


def test_variables_have_their_last_value_first() -> None:
    """Numbers have points to draw, others have none."""
    events = [VarChanged(path="n", value=Raw(b"%d" % n), at=1000 + n) for n in range(30)]
    events += [VarChanged(path="t", value=Raw(b'"x"'), at=2000)]
    n, t = variables(records(BEGIN, *events))
    assert (n.last, n.changes[0].text, n.earlier, len(n.points)) == ("29", "29", 10, 30)
    assert (t.last, t.points) == ("x", [])


def test_json_is_escaped_folded_and_cut() -> None:
    """Markup is text; a deep value does not break the page; of a large one the beginning is shown."""
    html = data_html({"<script>": ["</details>", {"a": "b" * 100}]})
    assert "<script>" not in html
    assert "&lt;/details&gt;" in html
    deep: Any = "bottom"
    for _ in range(300):
        deep = [deep, "x" * 80]
    assert len(data_html(deep)) > 1000
    large = json_html(Raw(json.dumps("<x>" * 50_000).encode()), "/all")
    assert len(large) < 5 * 65_536
    assert 'href="/all"' in large
    assert "<x>" not in large


def test_an_iteration_without_an_operation_is_no_gap() -> None:
    """A loop that passed over items has more iterations than rows, and nothing of it was compacted away."""
    course = Course(
        records(
            BEGIN,
            ActivityStarted(path="xs[0]/a", callee="m:a", fingerprint="", at=1000),
            ActivityStarted(path="xs[4]/a", callee="m:a", fingerprint="", at=1000),
            IterationCompleted(path="xs", index=4, key="4", at=1100),
        )
    )
    assert waterfall(course, 2000).rows[0].text == "5 iterations"


def test_a_wait_that_goes_on_ends_now_in_the_picture() -> None:
    """Its bar reaches to the line that says where now is."""
    course = Course(records(BEGIN, WaitStarted(path="w", event="go", at=2000)))
    fall = waterfall(course, 6000)
    bar = fall.rows[0].bars[0]
    assert fall.now == pytest.approx(bar.x + bar.width)
