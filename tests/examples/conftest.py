"""Bundles and interpreters, made once, and a folder to run in, made for each test."""

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.examples.support import OpenPlace, Place, bare_interpreter, build, requirements


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The bundle of an example by its name."""
    return cache(lambda example: build(example, tmp_path_factory.mktemp(example) / "out"))


@pytest.fixture(scope="session")
def python_for(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], Path]:
    """An interpreter that has what a bundle requires, and no flopod."""
    interpreter = cache(lambda wanted: bare_interpreter(tmp_path_factory.mktemp("bare"), list(wanted)))
    return lambda bundle: interpreter(tuple(requirements(bundle)))


@pytest.fixture
def place(
    tmp_path: Path, built: Callable[[str], Path], python_for: Callable[[Path], Path]
) -> Iterator[OpenPlace]:
    """A folder away from the source and from the bundle, with processes of the example that is named."""
    places: list[Place] = []

    def open_place(example: str) -> Place:
        bundle = built(example)
        places.append(Place(tmp_path, python_for(bundle), bundle))
        return places[-1]

    yield open_place
    for each in places:
        each.close()
