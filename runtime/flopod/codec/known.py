"""The table of objects that exist on both sides of a document: they are referred to, not copied."""

from collections.abc import Sequence
from datetime import tzinfo
from enum import Enum
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any

from flopod.errors import SerializableError

from .encode import is_foreign
from .immutable import is_immutable
from .migrations import any_declared
from .names import reference
from .ordering import hashes_by_address
from .parts import parts
from .plans import plan_of
from .typed import field_versions

_BY_NAME = (type, Enum, ModuleType, tzinfo)


class Known:
    """The objects with identity that can be reached from some roots, numbered in the order of a walk.

    Two tables made from roots of the same shape number the same objects alike; NaNs, which cannot change
    but are found by their identity, come after all others. The table keeps its objects alive. An iteration
    over a set whose elements lie by address has no order to number by. `versions` are those of its objects
    whose classes have migrations.
    """

    def __init__(self, roots: Sequence[Any]) -> None:
        self.objects: list[Any] = []
        self._index: dict[int, int] = {}
        nans: dict[int, float] = {}
        self._walk(roots, nans)
        are_any = any_declared("objects") or any_declared("typed")
        self.versions = _versions(self.objects) if are_any else {}
        self._nans = list(nans.values())
        self._index |= {key: number for number, key in enumerate(nans, len(self.objects))}

    def index(self, value: Any) -> int | None:
        """Return the number of an object, or None when it is not in the table."""
        return self._index.get(id(value))

    def __getitem__(self, index: int) -> Any:
        here = len(self.objects)
        return self.objects[index] if index < here else self._nans[index - here]

    def __len__(self) -> int:
        return len(self.objects) + len(self._nans)

    def _walk(self, roots: Sequence[Any], nans: dict[int, float]) -> None:
        todo = list(reversed(roots))
        while todo:
            value = todo.pop()
            if id(value) in self._index or is_immutable(value) or _is_named(value):
                continue
            if type(value) is float:
                nans[id(value)] = value
                continue
            self._index[id(value)] = len(self.objects)
            self.objects.append(value)
            if isinstance(value, (set, frozenset)):
                _check_order(value)
            if not is_foreign(value):
                todo.extend([child for _, _, child in parts(value)][::-1])


def _versions(objects: list[Any]) -> dict[str, int]:
    plans = [plan_of(kind) for kind in {type(one) for one in objects}]
    found = {plan.name: plan.version for plan in plans if plan.version > 1}
    for plan in plans:
        found |= field_versions(plan.cls) if plan.name else {}
    return found


def _is_named(value: Any) -> bool:
    callables = (FunctionType, BuiltinFunctionType)
    return isinstance(value, _BY_NAME) or (isinstance(value, callables) and reference(value) is not None)


def _check_order(value: "set[Any] | frozenset[Any]") -> None:
    if sum(map(hashes_by_address, value)) > 1:
        raise SerializableError(
            "a set whose elements have no hash of their own has no lasting order; give their class "
            "__hash__ and __eq__, or use a list"
        )
