"""The emitted form of one call, by its kind."""

from __future__ import annotations

from collections.abc import Callable

import libcst as cst

from flopod_compiler.classify.receivers import BY_TYPE
from flopod_compiler.knowledge.author import PARALLEL, RACE
from flopod_compiler.knowledge.beside import BESIDE
from flopod_compiler.knowledge.concurrency import BLOCKING_SLEEP, TIMED
from flopod_compiler.lower import nodes
from flopod_compiler.lower.edits import CallEdit
from flopod_compiler.model import CallKind
from flopod_compiler.plan.model import Spread
from flopod_compiler.plan.naming import TIMERS
from flopod_compiler.sites import Site

_FORMS = {
    "asyncio.gather": "parallel",
    "asyncio.as_completed": "as_completed",
    PARALLEL: "parallel",
    RACE: "race",
}
_SCOPED = frozenset({CallKind.IDIOM, CallKind.PRIMITIVE})
_AS_WRITTEN = frozenset(
    {"attempt", "compensate", "wait_for_work", *(one.rpartition(".")[2] for one in BESIDE)}
)
"""Kinds whose call keeps its arguments, behind the id."""

Text = Callable[[str], cst.SimpleString]


def lower_call(edit: CallEdit, call: cst.Call, text: Text) -> cst.Call:
    """Rewrite a call whose parts are already lowered; a pure call comes back as it is.

    A line end between the function and its parenthesis stays there.
    """
    return _lowered(edit, call, text).with_changes(whitespace_after_func=call.whitespace_after_func)


def _lowered(edit: CallEdit, call: cst.Call, text: Text) -> cst.Call:
    kind, site = edit.info.kind, edit.site
    if kind is CallKind.OUTPUT:
        return _output(edit, call)
    if kind in _SCOPED and edit.info.callee in _FORMS:
        return _form(edit, call, text)
    if kind is CallKind.PRIMITIVE and edit.info.callee == "flopod.log":
        return call.with_changes(func=nodes.method(edit.scope, "log"))
    if site is None:
        return call
    if site.kind == "wait":
        return _with_all_lines(_wait(edit, site, call, text), call)
    if site.kind in TIMERS:
        return _with_all_lines(_timed(edit, site, call, text), call)
    if site.kind in {"sleep", "sleep_until"}:
        return _with_all_lines(_sleep(edit, site, call, text), call)
    if site.kind == "child":
        return _child(edit, site, call, text)
    if site.kind == "forget":
        return _with_all_lines(_forgotten(edit, site, call, text), call)
    if edit.info.scoped:
        call = _with_last(call, nodes.argument(cst.Name("True"), "workflow"))
    callee = [] if site.kind in _AS_WRITTEN else _callee(edit, call)
    head = [nodes.argument(text(site.id)), *callee]
    function = nodes.method(edit.scope, "awaited" if edit.doubtful else site.kind)
    return nodes.call(function, head, list(call.args), call.whitespace_before_args)


def _child(edit: CallEdit, site: Site, call: cst.Call, text: Text) -> cst.Call:
    """The workflow is named, as the first event of its run does."""
    workflow, *rest = call.args
    named = workflow.with_changes(value=text(edit.info.name))
    head = [nodes.argument(text(site.id))]
    return nodes.call(nodes.method(edit.scope, "child"), head, [named, *rest], call.whitespace_before_args)


def _forgotten(edit: CallEdit, site: Site, task: cst.Call, text: Text) -> cst.Call:
    """The function of a task and its arguments, without the call that makes the task."""
    made = cst.ensure_type(task.args[0].value, cst.Call)
    head = [nodes.argument(text(site.id)), nodes.argument(made.func)]
    function = nodes.method(edit.scope, "forget")
    lowered = nodes.call(function, head, list(made.args), made.whitespace_before_args)
    return lowered.with_changes(whitespace_before_args=task.whitespace_before_args)


def _with_last(call: cst.Call, added: cst.Arg) -> cst.Call:
    """A call with one more argument, in the layout of the author's last one."""
    *others, last = call.args
    gap = last.whitespace_after_arg
    added = added.with_changes(comma=last.comma, whitespace_after_arg=gap)
    comma = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
    last = last.with_changes(comma=comma, whitespace_after_arg=cst.SimpleWhitespace(""))
    return call.with_changes(args=[*others, last, added])


def _with_all_lines(lowered: cst.Call, call: cst.Call) -> cst.Call:
    """Give a call whose arguments were put in another order as many lines as it had, in front of its end."""
    plain = lowered.with_changes(whitespace_after_func=call.whitespace_after_func)
    return _lengthened(lowered, _lines(call) - _lines(plain))


def _lines(node: cst.CSTNode) -> int:
    return cst.Module([]).code_for_node(node).count("\n")


def _lengthened(lowered: cst.Call, missing: int) -> cst.Call:
    """A call with some lines more in front of its end."""
    if missing <= 0 or not lowered.args:
        return lowered
    *others, last = lowered.args
    comma = last.comma
    if isinstance(comma, cst.Comma) and isinstance(comma.whitespace_after, cst.ParenthesizedWhitespace):
        gap = _longer(comma.whitespace_after, missing)
        return lowered.with_changes(
            args=[*others, last.with_changes(comma=comma.with_changes(whitespace_after=gap))]
        )
    end = last.whitespace_after_arg
    if isinstance(end, cst.ParenthesizedWhitespace):
        gap = _longer(end, missing)
    else:
        gap = _longer(cst.ParenthesizedWhitespace(indent=True), missing - 1)
    return lowered.with_changes(args=[*others, last.with_changes(whitespace_after_arg=gap)])


def _longer(space: cst.ParenthesizedWhitespace, lines: int) -> cst.ParenthesizedWhitespace:
    """The layout between two parts with some empty lines more."""
    empty = [cst.EmptyLine(indent=False) for _ in range(lines)]
    return space.with_changes(empty_lines=[*space.empty_lines, *empty])


def lower_spread(spread: Spread, scope: str, call: cst.Call, text: Text) -> cst.GeneratorExp:
    """`map(f, xs)` of a gather as a generator of the calls, each in the scope of its item."""
    function, *iterables = (one.value for one in call.args)
    item: cst.Arg = nodes.argument(cst.Name(spread.item))
    items = iterables[0]
    if len(iterables) > 1:
        item = item.with_changes(star="*")
        items = nodes.call(cst.Name("zip"), [nodes.argument(one) for one in iterables])
    head = [nodes.argument(text(spread.loop.id)), nodes.argument(items), nodes.keep(None)]
    target = nodes.pair(spread.inner.variable, spread.item)
    each = nodes.call(nodes.method(scope, "each"), head)
    made = [nodes.argument(text(spread.each.id)), nodes.argument(function), item]
    element = nodes.call(nodes.method(spread.inner.variable, spread.each.kind), made)
    missing = _lines(call) - _lines(cst.GeneratorExp(element, cst.CompFor(target, each)))
    return cst.GeneratorExp(element, cst.CompFor(target, _lengthened(each, missing)))


def _callee(edit: CallEdit, call: cst.Call) -> list[cst.Arg]:
    """The function that is called; of a method that changes its object, the class's, and then the object."""
    if not edit.info.holder or not isinstance(call.func, cst.Attribute):
        return [nodes.argument(call.func)]
    receiver = nodes.argument(nodes.bare(call.func.value))
    by_type = edit.info.holder == BY_TYPE
    holder = nodes.call(cst.Name(BY_TYPE), [receiver]) if by_type else cst.parse_expression(edit.info.holder)
    return [nodes.argument(cst.Attribute(holder, call.func.attr)), receiver]


def _form(edit: CallEdit, call: cst.Call, text: Text) -> cst.Call:
    """gather, as_completed, parallel and race, which are the scope's own."""
    name = _FORMS[edit.info.callee]
    if name == "parallel" and edit.info.callee == PARALLEL and not _is_distinct(call):
        name = "named"
    if edit.site is not None and edit.site.kind in TIMERS:
        call = _timed(edit, edit.site, call, text)
    function = nodes.method(edit.scope, name)
    if name != "race" or edit.site is None:
        return call.with_changes(func=function)
    head = [nodes.argument(text(edit.site.id))]
    return nodes.call(function, head, list(call.args), call.whitespace_before_args)


def _is_distinct(call: cst.Call) -> bool:
    """Whether `wf.parallel` can tell these arms from the arguments of a gather."""
    names = [one.keyword.value for one in call.args if one.keyword is not None]
    return bool(names) and "return_exceptions" not in names


def _timed(edit: CallEdit, site: Site, call: cst.Call, text: Text) -> cst.Call:
    """The delay becomes a durable timer; the call stays asyncio's own."""
    position, name = TIMED[edit.info.callee]
    delay = _named(call, name) or (_positional(call, position) if position is not None else None)
    assert delay is not None
    head = [nodes.argument(text(site.id)), nodes.argument(delay.value)]
    timer = nodes.call(nodes.method(edit.scope, site.kind), head)
    return call.with_changes(
        args=[one.with_changes(value=timer) if one is delay else one for one in call.args]
    )


def _output(edit: CallEdit, call: cst.Call) -> cst.Call:
    if edit.info.name == "print":
        return call.with_changes(func=nodes.method(edit.scope, "print"))
    function = nodes.method(edit.scope, "logging")
    return nodes.call(function, [nodes.argument(call.func)], list(call.args), call.whitespace_before_args)


def _positional(call: cst.Call, position: int) -> cst.Arg | None:
    plain = [one for one in call.args if one.keyword is None and not one.star]
    return plain[position] if position < len(plain) else None


def _named(call: cst.Call, name: str) -> cst.Arg | None:
    return next((one for one in call.args if one.keyword is not None and one.keyword.value == name), None)


def _last_bare(arguments: list[cst.Arg]) -> list[cst.Arg]:
    """Arguments taken out of another list: fresh commas, so that none is missing or left over."""
    return [one.with_changes(comma=cst.MaybeSentinel.DEFAULT) for one in arguments]


def _wait(edit: CallEdit, site: Site, call: cst.Call, text: Text) -> cst.Call:
    if call.args and call.args[0].keyword is None and not call.args[0].star:
        return _wait_in_place(edit, site, call, text)
    event = _named(call, "event")
    payload = _positional(call, 1) or _named(call, "type")
    timeout = _named(call, "timeout")
    head = [nodes.argument(text(site.id))]
    if event is not None and not site.says_event:
        head.append(nodes.argument(event.value))
    tail = []
    if payload is not None:
        tail.append(nodes.argument(payload.value, "type"))
    if timeout is not None:
        tail.append(nodes.argument(timeout.value, "timeout"))
    known = {id(one) for one in (event, payload, timeout) if one is not None}
    tail += _last_bare([one for one in call.args if id(one) not in known])
    return nodes.call(nodes.method(edit.scope, "wait"), head, tail, call.whitespace_before_args)


def _wait_in_place(edit: CallEdit, site: Site, call: cst.Call, text: Text) -> cst.Call:
    """The arguments stay where they are; a type that is given by position gets its name."""
    function = nodes.method(edit.scope, "wait")
    first, *rest = call.args
    if rest and rest[0].keyword is None and not rest[0].star:
        rest[0] = nodes.argument(rest[0].value, "type").with_changes(
            comma=rest[0].comma, whitespace_after_arg=rest[0].whitespace_after_arg
        )
    if not site.says_event:
        return nodes.call(
            function, [nodes.argument(text(site.id))], [first, *rest], call.whitespace_before_args
        )
    return call.with_changes(func=function, args=[first.with_changes(value=text(site.id)), *rest])


def _sleep(edit: CallEdit, site: Site, call: cst.Call, text: Text) -> cst.Call:
    plain = {"keyword": None, "equal": cst.MaybeSentinel.DEFAULT}
    arguments = [one.with_changes(**plain) for one in _last_bare(list(call.args))]
    if edit.info.callee == BLOCKING_SLEEP:
        arguments.append(nodes.argument(cst.Name("True"), "blocking"))
    head = [nodes.argument(text(site.id))]
    return nodes.call(nodes.method(edit.scope, site.kind), head, arguments, call.whitespace_before_args)
