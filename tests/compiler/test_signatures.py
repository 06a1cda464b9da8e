"""What flopod's functions take, as it is read off their source."""

import inspect

import pytest

import flopod
from flopod_compiler.knowledge.author import CHECKED
from flopod_compiler.knowledge.signatures import signature


@pytest.mark.parametrize("name", sorted(one.removeprefix("flopod.") for one in CHECKED))
def test_it_is_what_the_function_itself_says(name: str) -> None:
    """Names, kinds and which have defaults are those that inspect finds at run time."""
    found = inspect.signature(getattr(flopod, name)).parameters.values()
    assert [_shape(one) for one in signature(name).parameters.values()] == [_shape(one) for one in found]


def _shape(one: inspect.Parameter) -> tuple[str, object, bool]:
    return one.name, one.kind, one.default is one.empty
