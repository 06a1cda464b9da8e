"""Fingerprints tell different calls apart and agree on equal ones."""

import functools
import os
import subprocess
import sys
from typing import Any

import pytest

from flopod.codec import SerializableError, decode, encode, fingerprint

from . import shop


def test_equal_looking_values_of_other_types_differ() -> None:
    """1, True, 1.0, "1", -0.0 and 0.0 have different fingerprints."""
    values: list[Any] = [1, True, 1.0, "1", -0.0, 0.0, None, [1], (1,), {1}, frozenset({1})]
    assert len({fingerprint(value) for value in values}) == len(values)


def test_it_is_sixteen_hexadecimal_digits() -> None:
    """The form of a fingerprint."""
    assert len(fingerprint([1])) == 16
    int(fingerprint([1]), 16)


def test_the_order_of_a_set_does_not_count_and_that_of_a_dict_does() -> None:
    """Sets are sorted by the encoding of their elements; a dict's order is part of it."""
    assert fingerprint({8, 0}) == fingerprint({0, 8})
    assert fingerprint({"a": 1, "b": 2}) != fingerprint({"b": 2, "a": 1})


def test_it_is_the_same_in_another_process() -> None:
    """Neither the hash seed nor an address is part of a fingerprint."""
    program = "from flopod.codec import fingerprint as f; print(f([{'a','b','c'}, len, {'x': (1, None)}]))"
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert outputs == {fingerprint([{"a", "b", "c"}, len, {"x": (1, None)}]) + "\n"}


def test_it_survives_a_round_trip() -> None:
    """A decoded argument has the fingerprint of the live one, sharing included."""
    line = shop.Line("a")
    call = ((line, [line]), {"flag": True})
    assert fingerprint(decode(encode(call))) == fingerprint(call)
    assert fingerprint(((line, [shop.Line("a")]), {"flag": True})) != fingerprint(call)


def test_what_is_called_by_name_counts_by_name() -> None:
    """Functions, modules' objects, their bound methods, lambdas and partials are accepted."""
    add = functools.partial(shop.price, shop.Line("a"))
    first: list[Any] = [shop.price, os, shop.client, shop.client.fetch, lambda: 1, add, shop.Line]
    assert len({fingerprint(value) for value in first}) == len(first)
    assert fingerprint(shop.client.fetch) == fingerprint(shop.client.fetch)


def test_a_live_object_without_a_name_is_refused() -> None:
    """An argument that neither the log nor a name can tell is an error with its place."""
    with pytest.raises(SerializableError) as caught:
        fingerprint(([1, iter([])],), label="args")
    assert caught.value.field == "args[0][1]"
