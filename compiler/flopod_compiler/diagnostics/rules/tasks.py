"""Tasks, locks and the other objects of asyncio in a workflow."""

from __future__ import annotations

from flopod_compiler.diagnostics.rule import Rule
from flopod_compiler.diagnostics.rules.lowering import _body

_LOADING = (
    "import asyncio\nimport httpx\nfrom flopod import workflow\n\ndef load(x: int) -> str:\n"
    "    return httpx.get(str(x)).text\n\n"
)


class NotEntered(Rule):
    code = "FLP121"
    title = "A TaskGroup that is not entered"
    why = "Only inside its `async with` block does a task group take tasks, in plain Python as well."
    message = "this `asyncio.TaskGroup()` is not entered by an `async with`"
    help = "write `async with asyncio.TaskGroup() as group:` and start the tasks in its block"
    valid = (_body("async with asyncio.TaskGroup() as group:", "    group.create_task(fetch(1))"),)
    invalid = (_body("group = asyncio.TaskGroup()  # FLP121", "group.create_task(fetch(1))"),)


class WrongAwaitable(Rule):
    code = "FLP122"
    title = "A call of asyncio that is given the wrong thing to run"
    why = (
        "A task runs a coroutine, which is what the call of an async function gives; `asyncio.wait` and "
        "`add_done_callback` take tasks and plain functions."
    )
    message = "{callee} is given {what}"
    help = "{rewrite}"
    ways = (
        "call the function: `asyncio.create_task(fetch(1))`",
        "give `asyncio.wait` tasks: `asyncio.wait([asyncio.create_task(fetch(1))])`",
    )
    valid = (
        _body("return await asyncio.create_task(fetch(1))"),
        _body("return await asyncio.wait([asyncio.create_task(fetch(1))])"),
    )
    invalid = (
        _body("return await asyncio.create_task(fetch)  # FLP122"),
        _body("return await asyncio.wait([fetch(1)])  # FLP122"),
        _body("several = [fetch(1), fetch(2)]", "return await asyncio.wait(several)  # FLP122"),
        _body("one = fetch(1)", "return await asyncio.wait({one})  # FLP122"),
    )


class SharedBetweenRuns(Rule):
    code = "FLP308"
    title = "A lock, queue or task made at import"
    why = (
        "Each run has an event loop of its own. An object of asyncio that a module makes would be shared "
        "by all runs of a process, and its state is in no log."
    )
    message = "`{name}` is made when the module is imported, and a workflow has an event loop of its own"
    help = "make it in the workflow: `{local} = {made}`; or use it inside the leaf, where all runs share it"
    valid = (_body("lock = asyncio.Lock()", "async with lock:", "    return await fetch(1)"),)
    invalid = (
        "import asyncio\n\nfrom flopod import workflow\n\nLOCK = asyncio.Lock()\n\n"
        "@workflow\nasync def main():\n    async with LOCK:  # FLP308\n        return 1\n",
        "import asyncio\n\nfrom flopod import workflow\n\nclass Client:\n    def __init__(self) -> None:\n"
        "        self.lock = asyncio.Lock()\n\nclient = Client()\n\n"
        "@workflow\nasync def main():\n    async with client.lock:  # FLP308\n        return 1\n",
    )


class NotData(Rule):
    code = "FLP315"
    title = "A task, a lock or an iterator passed to a leaf"
    why = (
        "What a leaf is given is written to the log; a task, a coroutine, a lock or an iterator exists in "
        "this run only."
    )
    message = "{callee} is {kind} and is given {what}"
    help = "{rewrite}"
    ways = (
        "await the task first, and pass its result",
        "mark the function `@workflow`, so that it becomes a part of the run",
        "use the lock in the workflow, around the call",
    )
    valid = (_body("task = asyncio.create_task(fetch(1))", "return await fetch(len(await task))"),)
    invalid = (
        _body("task = asyncio.create_task(fetch(1))", "return await fetch(task)  # FLP315"),
        _body("lock = asyncio.Lock()", "return await fetch(lock)  # FLP315"),
        _body("return await fetch(x for x in range(3))  # FLP315"),
    )


class IdleTimeout(Rule):
    code = "FLP306"
    title = "A timeout around code that never waits"
    why = (
        "asyncio cancels a block where it awaits something. Code without an `await` runs to its end, however "
        "long that takes, in plain Python as well; a plain leaf is such code."
    )
    message = "nothing in the block of `{text}` awaits, so it is never ended by the timeout"
    help = (
        "give the leaf a timeout of its own, `@activity(timeout=...)`, or make it an `async def` and await "
        "it; or remove the timeout"
    )
    severity = "warning"
    valid = (_body("async with asyncio.timeout(5):", "    return await fetch(1)"),)
    invalid = (
        _LOADING + "@workflow\nasync def main():\n    async with asyncio.timeout(5):  # FLP306\n"
        "        return load(1)\n",
    )
