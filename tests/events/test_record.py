"""Events as lines of a log."""

import json
import typing
import zlib
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from flopod.errors import DamagedRecord, SerializableError
from flopod.events import (
    ActivityCompleted,
    ActivityFailed,
    ActivityStarted,
    AnyEvent,
    Attribute,
    Event,
    Log,
    OpenWait,
    RunStarted,
    Standing,
    Totals,
    VarChanged,
    WaitPoint,
    decode_line,
    encode_line,
    kind_of,
)

KINDS = typing.get_args(AnyEvent)
DESIGN = """
    run_started activity_started activity_completed activity_failed activity_progress branch_taken recorded
    race_won abandoned iteration_completed var_changed list_changed map_changed sleep_started sleep_completed
    wait_started wait_completed event_received child_started child_completed detached detach_ended step_error
    compensated log compacted run_paused run_resumed run_cancelled cancel_requested run_rewound run_diverged
    run_failed run_completed
"""

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
raws = json_values.map(lambda value: Raw(msgspec.json.encode(value)))
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
BY_TYPE: dict[Any, st.SearchStrategy[Any]] = {
    str: texts,
    int: st.integers(0, 2**60),
    bool: st.booleans(),
    Raw: raws,
    str | None: st.none() | texts,
    int | None: st.none() | st.integers(0, 2**60),
    list[str]: st.lists(texts, max_size=3),
    dict[str, Attribute]: st.dictionaries(
        texts, texts | st.booleans() | st.integers(-(2**53), 2**53), max_size=3
    ),
    dict[str, int]: st.dictionaries(texts, st.integers(0, 2**31), max_size=2),
    list[tuple[int, int]]: st.lists(st.tuples(st.integers(0, 99), st.integers(0, 99)), max_size=3),
    Totals: st.builds(Totals, started=st.integers(0, 99), crashes=st.integers(0, 99)),
    Standing: st.builds(
        Standing,
        running=st.dictionaries(texts, st.integers(0, 9), max_size=2),
        sleeps=st.dictionaries(texts, st.integers(0, 2**60), max_size=2),
        waits=st.dictionaries(
            texts, st.builds(OpenWait, texts, st.none() | st.integers(0, 2**60)), max_size=2
        ),
        children=st.dictionaries(texts, texts, max_size=2),
    ),
    list[WaitPoint]: st.lists(
        st.builds(WaitPoint, path=texts, event=texts, schema=st.none() | raws), max_size=2
    ),
}


@st.composite
def events(draw: st.DrawFn) -> Event:
    """Draw an event of any kind with any fields."""
    cls = draw(st.sampled_from(KINDS))
    values: dict[str, Any] = {}
    for field in msgspec.structs.fields(cls):
        if typing.get_origin(field.type) is typing.Literal:
            values[field.name] = draw(st.sampled_from(typing.get_args(field.type)))
        elif field.type is Raw and field.default is None:
            values[field.name] = draw(st.none() | raws)
        else:
            values[field.name] = draw(BY_TYPE[field.type])
    event: Event = cls(**values)
    return event


def test_the_kinds_are_those_of_the_format() -> None:
    """There is one struct for each kind of the documented list, and no other."""
    assert {cls.__struct_config__.tag for cls in KINDS} == set(DESIGN.split())


@given(st.integers(1, 2**50), events())
def test_every_event_survives_its_line(seq: int, event: Event) -> None:
    """Any event of any kind comes back equal, from one line of JSON."""
    line = encode_line(seq, event)
    assert b"\n" not in line
    assert decode_line(line) == (seq, event)
    plain = json.loads(line)
    assert plain["seq"] == seq
    assert plain["kind"] == kind_of(event)


@given(events(), st.data())
def test_no_flipped_bit_passes(event: Event, data: st.DataObject) -> None:
    """One changed bit anywhere in a line is found."""
    line = bytearray(encode_line(7, event))
    at = data.draw(st.integers(0, len(line) - 1))
    line[at] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(DamagedRecord):
        decode_line(bytes(line))


def test_the_layout_of_a_record() -> None:
    """The order of fields and the checksum are those that other tools rely on."""
    event = ActivityStarted(path="lines[0]/price_line", at=5, callee="m:f", fingerprint="ff")
    bare = (
        b'{"seq":1,"kind":"activity_started","path":"lines[0]/price_line","at":5,'
        b'"callee":"m:f","fingerprint":"ff"}'
    )
    assert encode_line(1, event) == bare[:-1] + b',"crc":"%08x"}' % zlib.crc32(bare)


def test_a_recorded_null_is_not_an_absent_value() -> None:
    """A value that is null stays a value; a value left out stays left out."""
    with_null = decode_line(encode_line(1, ActivityCompleted(result=Raw(b"1"), state=Raw(b"null")))).event
    without = decode_line(encode_line(1, ActivityCompleted(result=Raw(b"1")))).event
    assert isinstance(with_null, ActivityCompleted)
    assert isinstance(without, ActivityCompleted)
    assert with_null.state is not None
    assert bytes(with_null.state) == b"null"
    assert without.state is None


def test_a_value_over_several_lines_is_put_on_one() -> None:
    """A value written with line ends does not break the record apart."""
    line = encode_line(1, VarChanged(value=Raw(b'{"a":\r\n "x\\ny"}')))
    event = decode_line(line).event
    assert isinstance(event, VarChanged)
    assert bytes(event.value) == b'{"a":"x\\ny"}'


def test_texts_that_are_no_unicode() -> None:
    """Free texts are escaped, names are refused with the field, because a changed name would mis-bind."""
    failed = ActivityFailed(path="a", attempt=1, error=Raw(b"{}"), traceback="File caf\udce9")
    event = decode_line(encode_line(1, failed)).event
    assert isinstance(event, ActivityFailed)
    assert event.traceback == "File caf\\udce9"
    with pytest.raises(SerializableError, match="path"):
        encode_line(1, Log(path="caf\udce9", message="caf\udce9"))


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{}",
        b"null",
        b'{"seq":1}',
        b'{"seq":1,"kind":"log","message":"x"}',
        b'{"seq":1,"kind":"log","message":"x","crc":"00000000"}',
    ],
)
def test_what_is_no_record_is_refused(line: bytes) -> None:
    """A line without a fitting checksum is damaged."""
    with pytest.raises(DamagedRecord):
        decode_line(line)


@pytest.mark.parametrize(
    "bare",
    [
        b'{"seq":1,"kind":"invented_later","path":"x"}',
        b'{"seq":1,"kind":"log"}',
        b'{"seq":1,"kind":"log","message":5}',
        b'{"kind":"log","message":"x","seq":1}',
        b'{"seq":-1,"kind":"log","message":"x"}',
        b'{"seq":1,"message":"x"}',
    ],
)
def test_a_sealed_line_must_still_be_an_event(bare: bytes) -> None:
    """A checksum that fits does not make an unknown kind, a wrong field or a missing number good."""
    with pytest.raises(DamagedRecord):
        decode_line(bare[:-1] + b',"crc":"%08x"}' % zlib.crc32(bare))


def test_fields_of_a_later_version_are_passed_over() -> None:
    """A field that this version does not know does not make a record unreadable."""
    bare = b'{"seq":1,"kind":"log","message":"x","colour":"red"}'
    record = decode_line(bare[:-1] + b',"crc":"%08x"}' % zlib.crc32(bare))
    assert record.event == Log(message="x")


def test_events_do_not_change() -> None:
    """An event cannot be altered after it was made."""
    event = RunStarted(workflow="w", input=Raw(b"{}"))
    with pytest.raises(AttributeError):
        event.workflow = "x"  # type: ignore[misc]
