"""The order of sets: whether it lasts, and how to insert elements so that a set iterates as before."""

from collections.abc import Iterator
from itertools import permutations
from types import FunctionType
from typing import Any

_ADDRESS_HASHES: tuple[Any, ...] = (object.__hash__, type.__hash__, FunctionType.__hash__)
_MOVES, _FEW = 64, 6


def hashes_by_address(value: Any) -> bool:
    """Tell whether a value's place in a set depends on where in memory it lies."""
    if isinstance(value, (tuple, frozenset)):
        return any(map(hashes_by_address, value))
    own: Any = type(value).__hash__
    return own in _ADDRESS_HASHES


def rebuilding_order(items: list[Any]) -> list[Any] | None:
    """Return an order of insertion that gives a set of this order of iteration, or None if none is found.

    Elements that compete for a place are inserted the other way round until the order fits. A set that
    was larger once may have an order that no insertion gives.
    """
    if sum(map(hashes_by_address, items)) > 1:
        return None
    return next((order for order in _candidates(items) if _misplaced(items, order) is None), None)


def _candidates(items: list[Any]) -> Iterator[list[Any]]:
    order = items
    for _ in range(_MOVES):
        yield order
        wrong = _misplaced(items, order)
        if wrong is not None:
            order = _exchanged(order, *wrong)
    if len(items) <= _FEW:
        yield from map(list, permutations(items))


def _misplaced(items: list[Any], order: list[Any]) -> tuple[Any, Any] | None:
    """Return the first element that a set built in this order has elsewhere, and what it has there."""
    rebuilt: set[Any] = set()
    rebuilt.update(order)
    pairs = zip(items, rebuilt, strict=True)
    return next(((wanted, found) for wanted, found in pairs if wanted is not found), None)


def _exchanged(order: list[Any], wanted: Any, found: Any) -> list[Any]:
    """Return the order with two elements the other way round: the later one just before the earlier one."""
    places = {id(one): place for place, one in enumerate(order)}
    early, late = sorted((places[id(wanted)], places[id(found)]))
    return [*order[:early], order[late], *order[early:late], *order[late + 1 :]]
