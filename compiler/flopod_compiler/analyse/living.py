"""Tasks, locks and queues: objects of the event loop, which no snapshot can hold."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from flopod_compiler.analyse.aliases import Variable
from flopod_compiler.analyse.frame import Frame
from flopod_compiler.analyse.liveness import Loop


def is_any_living(frame: Frame, variables: Iterable[Variable]) -> bool:
    """Whether one of the variables may hold a task, a lock or the like."""
    return any(_is_living(frame, variable) for variable in variables)


def _is_living(frame: Frame, variable: Variable) -> bool:
    owner, name = variable
    occurrences = (one for scope in owner.walk() for one in scope.uses.get(name, ()))
    living, owners = frame.classified.living, frame.names.of
    return any(one in living and owners.get(one) is owner for one in occurrences)


def uses_up_living(frame: Frame, loop: Loop) -> bool:
    """Whether the loop uses up a queue, lock or the like that it did not make itself."""
    bound = frame.bound_in(loop)
    for one in frame.index.below(loop):
        if not isinstance(one, ast.Call):
            continue
        info = frame.classified.calls.get(one)
        if info is None or "self" not in info.mutates or not info.callee.startswith("asyncio."):
            continue
        receiver = one.func.value if isinstance(one.func, ast.Attribute) else None
        if not isinstance(receiver, ast.Name) or receiver.id not in bound:
            return True
    return False
