"""A call that may reach one of several functions: which go together, and what to write for the others."""

from __future__ import annotations

from dataclasses import replace

from flopod_compiler.classify.workspace import Workspace
from flopod_compiler.model import CallKind, ProjectFunction, Symbol, Unknown
from flopod_compiler.names import describe
from flopod_compiler.purity.target import Target

_SCOPED = ("a workflow", "a function of the workflow")
_PLAIN = "plain code"


def settled(work: Workspace, target: Target, awaited: bool) -> Target:
    """The target of a call; one of several functions is unresolved where they cannot be called alike.

    Workflows and functions of this one are called alike if they are all async or all not: each takes a
    scope. Leaves and plain functions are, too, and where the author awaits the call even if only some of
    them are async.
    """
    if not target.choices:
        return target
    words = [_what(work, one) for one in target.choices]
    scoped = any(word in _SCOPED for word in words)
    if (target.is_uneven and not awaited) or (
        scoped and len({_is_written_async(one) for one in target.choices}) > 1
    ):
        return _uneven(work, target)
    if _SCOPED[0] in words and set(words) <= set(_SCOPED):
        return replace(target, kind=CallKind.WORKFLOW, reason="")
    if target.kind is CallKind.UNRESOLVED or (scoped and not set(words) <= {*_SCOPED, _PLAIN}):
        return _mixed(target, words)
    return target


def wrapping(name: str, is_async: bool) -> str:
    """The advice to give a function the form of the workflow's own, so that it is called like them."""
    if not name.isidentifier():
        return "write a nested function in its place"
    start, call = ("async def", f"await {name}") if is_async else ("def", name)
    return (
        f"call {name} in a nested function, and use that in its place: "
        f"{start} call_{name}(*args): return {call}(*args)"
    )


def named(symbol: Symbol) -> str:
    """A function that a call may reach, as a message names it."""
    if isinstance(symbol, Unknown):
        return "a lambda"
    return symbol.node.name if isinstance(symbol, ProjectFunction) else describe(symbol)


def _uneven(work: Workspace, target: Target) -> Target:
    first = next(one for one in target.choices if _is_written_async(one))
    other = next(one for one in target.choices if not _is_written_async(one))
    reason = f"it may be {first.name}, which is async, or {other.name}, which is not"
    rewrite = "call each by its name: choose with if/elif or match"
    if _what(work, other) == _SCOPED[1]:
        rewrite = f"write `async def {other.name}`, and await it wherever it is called"
    return _refused(target, reason, rewrite)


def _is_written_async(one: Target) -> bool:
    """Whether a function is an `async def`; its compiled form is, if it takes a scope."""
    return one.symbol.is_async if isinstance(one.symbol, ProjectFunction) else one.is_async is True


def _mixed(target: Target, words: list[str]) -> Target:
    pairs = [f"{one.name}, {word}" for one, word in zip(target.choices, words, strict=True)]
    reason = f"it may be {', or '.join(dict.fromkeys(pairs))}"
    odd = next((one for one, word in zip(target.choices, words, strict=True) if word not in _SCOPED), None)
    rewrite = "call each by its name: choose with if/elif or match"
    if odd is not None and any(word in _SCOPED for word in words):
        rewrite = wrapping(odd.name, odd.is_async is True)
    return _refused(target, reason, rewrite)


def _refused(target: Target, reason: str, rewrite: str) -> Target:
    return replace(target, kind=CallKind.UNRESOLVED, reason=reason, rewrite=rewrite, runs=())


def _what(work: Workspace, one: Target) -> str:
    """What a function would be if a call reached it alone."""
    if any(run.node in work.marks.nested for run in one.runs):
        return _SCOPED[1]
    if one.kind is CallKind.WORKFLOW:
        return _SCOPED[0]
    if one.kind is CallKind.LEAF or any(not work.purity.of(run).is_pure for run in one.runs):
        return "a leaf"
    return _PLAIN if one.kind in (None, CallKind.PURE) else f"a {one.kind.value}"
