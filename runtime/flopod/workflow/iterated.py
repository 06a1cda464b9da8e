"""What loops iterate over: whose items may be passed over, and which collections stand below."""

import gc
from collections import deque
from collections.abc import Iterator
from typing import Any

from flopod.workflow.state import DurableList, DurableMap

_VIEWS = {type({}.keys()), type({}.values()), type({}.items())}
_SKIPPABLE = _VIEWS | {list, tuple, range, str, bytes, dict, set, frozenset, deque, DurableList, DurableMap}
_SAMPLES: tuple[Any, ...] = (
    [],
    (),
    range(0),
    range(1 << 70),
    "",
    "\xff",
    b"",
    {},
    {}.values(),
    {}.items(),
    set(),
    deque(),
)
_REVERSED: tuple[Any, ...] = ([], {}, {}.values(), {}.items())
_SKIPPABLE_ITERATORS = {type(iter(sample)) for sample in _SAMPLES} | {
    type(reversed(sample)) for sample in _REVERSED
}
_COMPOSED = (enumerate, zip, reversed)


def is_skippable(items: object) -> bool:
    """Whether items can be passed over without running the author's code."""
    if type(items) in _SKIPPABLE or type(items) in _SKIPPABLE_ITERATORS:
        return True
    if type(items) in _COMPOSED:
        return all(is_skippable(part) for part in _parts(items))
    return False


def _parts(items: Any) -> list[object]:
    made_of = items.__reduce__()[1]
    return list(made_of) if type(items) is zip else [made_of[0]]


def sources(items: Any) -> Iterator[object]:
    """The collections that are iterated over, below views, iterators and `enumerate` and the like."""
    if type(items) in _COMPOSED:
        for part in _parts(items):
            yield from sources(part)
    elif type(items) in _SKIPPABLE_ITERATORS | _VIEWS:
        yield from gc.get_referents(items)
    else:
        yield items
