"""Embedded texts come back exactly, and stay readable where that is possible."""

import ast

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from flopod_compiler.bundle.linemap import compress_lines
from flopod_compiler.bundle.literal import literal, normalised
from flopod_compiler.bundle.loader import expand_lines

TEXTS = st.text(st.sampled_from("'\"\\\n\r\0 ab#/é{}\ud800") | st.characters(codec="utf-8"))


@given(TEXTS)
@example("'''\"\"\"")
@example("ends with a backslash\\")
@example("# /// script\n# ///\n")
@example("\\x41 \\N{DASH} {braces}")
def test_every_text_comes_back(text: str) -> None:
    """A literal evaluates to the text that it was made of."""
    assert ast.literal_eval(literal(text)) == text


def test_ordinary_source_is_embedded_as_it_is() -> None:
    """A module with backslashes and one kind of quotes needs no escapes."""
    source = 'PATTERN = r"\\d+"\n"""A docstring."""\n'
    assert literal(source) == f"r'''{source}'''"


def test_a_script_header_in_a_module_is_no_second_header_of_the_bundle() -> None:
    """Tools that read inline metadata textually must not find a second block."""
    assert "\n# /// script" not in literal("x = 1\n# /// script\n# ///\n")


@pytest.mark.parametrize("source", ["a\r\nb\r\n", "a\rb\r", "\ufeffa\nb\n"])
def test_newlines_and_byte_order_marks_are_normalised(source: str) -> None:
    """A module is embedded as Python's own tokenizer reads it."""
    assert normalised(source) == "a\nb\n"


@given(st.lists(st.integers(0, 50)))
@example([])
@example([1, 2, 3, 3, 4, 10, 11])
def test_a_line_map_survives_its_short_form(lines: list[int]) -> None:
    """Runs of lines expand to the map that they were made of."""
    assert expand_lines(compress_lines(lines)) == lines


def test_a_line_map_is_short() -> None:
    """A module whose lines correspond one to one needs one run."""
    assert compress_lines(list(range(1, 401))) == "1:1 401:"
