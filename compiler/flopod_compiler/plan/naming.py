"""What call sites, loops and conditions are called, read off the author's expressions."""

from __future__ import annotations

import ast

from flopod_compiler.children import children
from flopod_compiler.knowledge.author import (
    ATTEMPT,
    COMPENSATE,
    NAMING,
    PARALLEL,
    RACE,
    START,
    WAIT_FOR_WORK,
)
from flopod_compiler.knowledge.beside import HANDED
from flopod_compiler.knowledge.concurrency import delay_of
from flopod_compiler.model import CallInfo, CallKind, External, ProjectFunction, Symbol
from flopod_compiler.parse import shortened

TIMERS = frozenset({"timer", "timer_at"})
AT_ONCE = frozenset(
    {"child", "compensate", "detach_and_join_later", "detach_and_forget", "forget", "work", "for_each"}
)
"""Kinds of operations that give nothing to await."""

_FAN_OUT = frozenset({"asyncio.gather", RACE, PARALLEL})

_WIDTH = 60


def is_fan_out(info: CallInfo) -> bool:
    """Whether a call runs its arguments side by side."""
    return info.callee in _FAN_OUT and info.kind is not CallKind.PURE


def is_plain_idiom(node: ast.Call, info: CallInfo) -> bool:
    """Whether a call of asyncio takes the scope but no id: `as_completed` without a timeout."""
    return info.callee == "asyncio.as_completed" and delay_of(info.callee, node) is None


def kind_of(node: ast.Call, info: CallInfo) -> tuple[str, str]:
    """The primitive that a durable call becomes, and its op."""
    if info.kind is CallKind.LEAF:
        return "activity", info.name
    if info.kind is CallKind.WORKFLOW:
        return "call", info.name
    if info.kind is CallKind.RECORDABLE:
        return "record", info.name
    if info.callee == "flopod.wait_for":
        return "wait", event(node) or "wait"
    if info.callee == ATTEMPT:
        return "attempt", info.name
    if info.callee == COMPENSATE:
        return "compensate", f"undo-{info.name}"
    if info.callee == START:
        return "child", info.name
    if info.callee in HANDED:
        return info.callee.removeprefix("flopod."), info.name
    if info.callee == WAIT_FOR_WORK:
        return "wait_for_work", info.name
    delay = delay_of(info.callee, node)
    if delay is not None:
        return "timer_at" if delay.is_moment else "timer", "timeout"
    return "sleep_until" if info.callee == "flopod.sleep_until" else "sleep", "sleep"


def callee_of(info: CallInfo) -> str:
    """The qualified name of what a durable call runs; of a primitive about a leaf or a workflow, of that."""
    is_chosen = info.kind is CallKind.WORKFLOW and bool(info.choices)
    if info.callee not in NAMING | HANDED and not is_chosen:
        return info.callee
    return " | ".join(dict.fromkeys(_callee(one, info.name) for one in info.targets))


def _callee(target: Symbol, name: str) -> str:
    match target:
        case ProjectFunction(module=module, qualname=qualname):
            return f"{module}:{qualname}"
        case External(qualified=qualified):
            return qualified
    return name


def event(node: ast.Call) -> str | None:
    named = [keyword.value for keyword in node.keywords if keyword.arg == "event"]
    first = node.args[0] if node.args else named[0] if named else None
    if isinstance(first, ast.Constant) and isinstance(first.value, str) and first.value:
        return first.value
    return None


def payload(node: ast.Call) -> str:
    named = [keyword.value for keyword in node.keywords if keyword.arg == "type"]
    expression = node.args[1] if len(node.args) > 1 else named[0] if named else None
    return ast.unparse(expression) if expression is not None else ""


def loop_name(iterable: ast.expr) -> str:
    """The last identifier of an iterable: lines for `order.lines`, xs for `enumerate(xs)`."""
    if isinstance(iterable, ast.Name):
        return iterable.id
    if isinstance(iterable, ast.Attribute):
        return iterable.attr
    if isinstance(iterable, ast.Subscript | ast.Await | ast.Starred):
        return loop_name(iterable.value)
    if isinstance(iterable, ast.Call):
        return _call_loop_name(iterable)
    if isinstance(iterable, ast.IfExp | ast.BoolOp):
        first = iterable.body if isinstance(iterable, ast.IfExp) else iterable.values[0]
        return loop_name(first)
    return "items"


def _call_loop_name(call: ast.Call) -> str:
    if isinstance(call.func, ast.Attribute) and call.func.attr in {
        "items",
        "keys",
        "values",
        "split",
        "splitlines",
    }:
        return loop_name(call.func.value)
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "items")
    wraps = {
        "enumerate",
        "zip",
        "sorted",
        "reversed",
        "list",
        "tuple",
        "set",
        "iter",
        "map",
        "filter",
        "islice",
        "as_completed",
    }
    if name in wraps:
        for argument in call.args[name in {"map", "filter"} :]:
            if isinstance(argument, ast.Name | ast.Attribute | ast.Call | ast.Subscript):
                return loop_name(argument)
    return name


def hint(target: ast.expr, iterable: ast.expr) -> str:
    return target.id if isinstance(target, ast.Name) and target.id != "_" else loop_name(iterable)


def subject(test: ast.expr) -> str:
    """What a condition is about: `-` and the last identifier of the first chain it reads."""
    for node in _in_order(test):
        if isinstance(node, ast.Attribute):
            return f"-{node.attr}"
        if isinstance(node, ast.Name):
            return f"-{node.id}"
    return ""


def _in_order(node: ast.AST) -> list[ast.AST]:
    if isinstance(node, ast.Attribute | ast.Name):
        return [node]
    if isinstance(node, ast.Call):
        arguments = [
            one for child in [*node.args, *(k.value for k in node.keywords)] for one in _in_order(child)
        ]
        receiver = _in_order(node.func.value) if isinstance(node.func, ast.Attribute) else []
        return [*receiver, *arguments] or _in_order(node.func)
    return [one for child in children(node) for one in _in_order(child)]


def literals(test: ast.expr) -> dict[int | str, str]:
    found = [
        str(one.value)
        for one in ast.walk(test)
        if isinstance(one, ast.Constant)
        and isinstance(one.value, str | int)
        and not isinstance(one.value, bool)
    ]
    return {0: found[0]} if len(found) == 1 and 0 < len(found[0]) <= 40 and found[0].isprintable() else {}


def arm_words(node: ast.Match) -> list[str]:
    """A distinct word for each arm of a `match`, from its pattern."""
    found: list[str] = []
    for case in node.cases:
        word = _arm_word(case.pattern)
        number = 2
        unique = word
        while unique in found:
            unique, number = f"{word} {number}", number + 1
        found.append(unique)
    return found


def _arm_word(pattern: ast.pattern) -> str:
    match pattern:
        case ast.MatchValue(value=ast.Constant(value=str(word))):
            return word[:40] or "''"
        case ast.MatchClass(cls=ast.Name(id=name) | ast.Attribute(attr=name)):
            return name
        case ast.MatchAs(pattern=None, name=name):
            return name or "_"
        case ast.MatchAs(pattern=ast.pattern() as inner):
            return _arm_word(inner)
        case _:
            return ast.unparse(pattern)[:40]


def for_header(node: ast.For | ast.AsyncFor | ast.comprehension) -> str:
    """The header of a loop over items for people, shortened."""
    is_async = isinstance(node, ast.AsyncFor) or (isinstance(node, ast.comprehension) and node.is_async)
    return f"{'async ' * bool(is_async)}for {shortened(node.target)} in {shortened(node.iter)}"


def given(node: ast.Call, info: CallInfo) -> str:
    """The arguments of a durable call for people, shortened; of a timer the delay."""
    delay = delay_of(info.callee, node)
    if delay is not None and delay.expr is not None:
        return shortened(delay.expr)
    text = ", ".join(shortened(one) for one in [*node.args, *node.keywords])
    return text if len(text) <= _WIDTH else text[: _WIDTH - 3] + "..."


def key_function(target: ast.expr, key: str) -> str:
    """The source of the function from an item to its key, for a key written in the loop's own names."""
    if isinstance(target, ast.Name):
        return f"lambda {target.id}: {key}"
    parts = dict(_parts(target, "item"))

    class Parts(ast.NodeTransformer):
        def visit_Name(self, node: ast.Name) -> ast.expr:
            return ast.parse(parts[node.id], mode="eval").body if node.id in parts else node

    return f"lambda item: {ast.unparse(Parts().visit(ast.parse(key, mode='eval').body))}"


def _parts(target: ast.expr, path: str) -> list[tuple[str, str]]:
    if isinstance(target, ast.Name):
        return [(target.id, path)]
    elements = target.elts if isinstance(target, ast.Tuple | ast.List) else []
    return [one for place, element in enumerate(elements) for one in _parts(element, f"{path}[{place}]")]
