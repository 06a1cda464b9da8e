"""Faults in what runs side by side: tasks, groups, timers, races, locks."""

from __future__ import annotations

import ast

from tests.differential.breaking import Fault, edit, instead, is_primitive, without


def _unwrapped(node: ast.Call) -> ast.expr:
    """The coroutine alone, which begins only when it is awaited."""
    return node.args[0] if is_primitive(node, "create_task") else node


def _no_timer(node: ast.Call) -> ast.expr:
    return ast.Constant(None) if is_primitive(node, "timer") else node


def _no_group(node: ast.AsyncWith) -> list[ast.stmt]:
    """The tasks of a group are made by the loop, and nobody waits for them."""
    return [*ast.parse("group = asyncio.get_running_loop()").body, *node.body]


def _backwards(node: ast.Call) -> ast.Call:
    if not is_primitive(node, "as_completed") or not isinstance(node.args[0], ast.List):
        return node
    return without(node, args=[without(node.args[0], elts=node.args[0].elts[::-1])])


def _no_lock(node: ast.AsyncWith) -> list[ast.stmt]:
    return node.body


def _not_cancelled(node: ast.Expr) -> ast.stmt:
    value = node.value
    return ast.Pass() if is_primitive(value, "cancel") else node


def _not_joined(node: ast.Await) -> ast.expr:
    return ast.Constant(None) if isinstance(node.value, ast.Name) else node


FAULTS_OF_TASKS = [
    Fault("task never started", "create_task", edit(ast.Call, _unwrapped, every=True)),
    Fault("task never awaited", "shield", edit(ast.Await, _not_joined)),
    Fault("timer of a timeout dropped", "wait_for_and_timeout", edit(ast.Call, _no_timer, every=True)),
    Fault(
        "timer in the scope of the workflow",
        "timeouts_in_loops",
        instead("wf_k.timer('timeout', 5)", "wf.timer('timeout', 5)"),
    ),
    Fault(
        "timer of another length",
        "timeouts_nested",
        instead("wf.timer('timeout', n)", "wf.timer('timeout', 100)"),
    ),
    Fault("group that waits for nothing", "task_errors", edit(ast.AsyncWith, _no_group)),
    Fault("arms of as_completed exchanged", "asyncio_wait", edit(ast.Call, _backwards)),
    Fault(
        "return_when lost",
        "asyncio_wait",
        instead(
            "asyncio.wait(waiting.value, return_when=asyncio.FIRST_COMPLETED)", "asyncio.wait(waiting.value)"
        ),
    ),
    Fault("lock dropped", "locks_and_events", edit(ast.AsyncWith, _no_lock)),
    Fault("semaphore dropped", "semaphore", edit(ast.AsyncWith, _no_lock)),
    Fault("cancel dropped", "futures", edit(ast.Expr, _not_cancelled)),
    Fault("shield dropped", "shield", instead("asyncio.shield(inner)", "inner")),
    Fault(
        "arm of a race lost",
        "race_and_parallel",
        instead(
            "wf.race('race#first', price=wf.activity('price#2', price, n), sleep=wf.sleep('sleep', 100))",
            "wf.race('race#first', sleep=wf.sleep('sleep', 100))",
        ),
    ),
    Fault(
        "winner of a race taken for a list",
        "race_and_parallel",
        instead(
            "wf.race('race#first', price=wf.activity('price#2', price, n), sleep=wf.sleep('sleep', 100))",
            "wf.parallel(price=wf.activity('price#2', price, n), sleep=wf.sleep('sleep', 100))",
        ),
    ),
    Fault(
        "names of parallel exchanged",
        "race_and_parallel",
        instead(
            "wf.parallel(price=wf.activity('price', price, n), next=wf.activity('price#next', price, n + 1))",
            "wf.parallel(price=wf.activity('price#next', price, n + 1), next=wf.activity('price', price, n))",
        ),
    ),
    Fault("item of a queue not acknowledged", "queue_workers", instead("queue.task_done()", "None")),
]
