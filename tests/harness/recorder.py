"""Puts a recorder into the leaves of a loaded program: it notes each call and says when it may go on."""

from __future__ import annotations

import builtins
import hashlib
import inspect
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import partial
from types import FunctionType, ModuleType
from typing import Any

from flopod.errors import SerializableError
from flopod.testing.exchange import exchange, find_function
from tests.harness.cases import Fault
from tests.harness.outcome import LeafCall, value_text

_inside: ContextVar[bool] = ContextVar("inside_a_leaf", default=False)


def is_inside_a_leaf() -> bool:
    """Whether the code that asks runs in a leaf."""
    return _inside.get()


@dataclass(eq=False)
class PendingCall:
    """A leaf that has begun and waits for its turn; `turn` is whatever the driver waits with.

    `void` says that it was cancelled before the world answered any call, at most by timers that were due:
    those are delivered before a leaf starts, so nobody ever saw it.
    """

    call: LeafCall
    number: int
    turn: Any = None
    void: bool = False


@dataclass
class Recorder:
    """Notes the calls of leaves and applies the faults of a scenario.

    `wait` makes the awaitable on which an asynchronous leaf waits for its turn. `attempt` is set by a
    driver that knows it; otherwise attempts of equal calls are counted.
    """

    wait: Callable[[PendingCall], Awaitable[None]]
    faults: tuple[Fault, ...] = ()
    calls: list[LeafCall] = field(default_factory=list)
    void: set[int] = field(default_factory=set)
    attempt: int | None = None
    originals: dict[str, FunctionType] = field(default_factory=dict)
    modules: frozenset[str] = frozenset()
    _failed: dict[LeafCall, int] = field(default_factory=dict)

    def sync_call(self, callee: str, /, *args: Any, **kwargs: Any) -> Any:
        if _inside.get():
            return self.originals[callee](*args, **kwargs)
        call, fault = self._begin(callee, args, kwargs)
        token = _inside.set(True)
        try:
            self._fail(call, fault)
            return self.originals[callee](*args, **kwargs)
        finally:
            _inside.reset(token)

    async def async_call(self, callee: str, /, *args: Any, **kwargs: Any) -> Any:
        if _inside.get():
            return await self.originals[callee](*args, **kwargs)
        call, fault = self._begin(callee, args, kwargs)
        pending = PendingCall(call, len(self.calls))
        try:
            await self.wait(pending)
        finally:
            if pending.void:
                self.void.add(pending.number - 1)
        token = _inside.set(True)
        try:
            self._fail(call, fault)
            return await self.originals[callee](*args, **kwargs)
        finally:
            _inside.reset(token)

    def _begin(
        self, callee: str, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[LeafCall, type[Exception] | None]:
        call = LeafCall(callee, _arguments_text(args, kwargs))
        self.calls.append(call)
        attempt = self.attempt if self.attempt is not None else self._failed.get(call, 0) + 1
        for fault in self.faults:
            if fault.leaf == call.name and attempt <= fault.fails:
                return call, getattr(builtins, fault.error)
        return call, None

    def _fail(self, call: LeafCall, fault: type[Exception] | None) -> None:
        if fault is None:
            self._failed.pop(call, None)
            return
        self._failed[call] = self._failed.get(call, 0) + 1
        raise fault(f"{call.name} failed")

    def is_of_program(self, function: Callable[..., Any]) -> bool:
        """Whether a leaf is a function of the program, not of a library; only those are recorded."""
        return getattr(function, "__module__", None) in self.modules

    def install(self, modules: Mapping[str, ModuleType], callees: Iterable[str]) -> None:
        """Put this recorder into the functions named by `callees` (`module:qualname`).

        The function objects stay the same, only their code is exchanged, so that every alias of a leaf
        (an import, a method, a name with options) goes through the recorder.
        """
        self.modules = frozenset(modules)
        for callee in callees:
            module, _, qualname = callee.partition(":")
            if module in modules:
                self._exchange(callee, find_function(modules[module], qualname))

    def _exchange(self, callee: str, function: FunctionType) -> None:
        recorded = self.async_call if inspect.iscoroutinefunction(function) else self.sync_call
        self.originals[callee] = exchange(function, partial(recorded, callee))


def _arguments_text(args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    try:
        return value_text([list(args), kwargs])
    except SerializableError as error:
        return f"no data: {error}"


def pick(pending: list[PendingCall], seed: int | None) -> PendingCall:
    """Take the call that completes next: the oldest, or by a seed an order that both sides agree on.

    The seeded order depends on what is called with what, never on when it began, so that a resumed run
    completes its leaves in the same order.
    """
    if seed is None:
        return pending.pop(0)
    chosen = min(pending, key=lambda item: (_rank(item.call, seed), item.number))
    pending.remove(chosen)
    return chosen


def _rank(call: LeafCall, seed: int) -> bytes:
    return hashlib.blake2b(f"{seed}/{call.callee}/{call.arguments}".encode("utf-8", "surrogatepass")).digest()
