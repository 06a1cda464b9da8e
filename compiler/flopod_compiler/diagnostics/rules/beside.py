"""Rules about what runs beside the main line: detaches and side chains."""

from __future__ import annotations

from flopod_compiler.diagnostics.rule import Rule

_HEAD = (
    "import asyncio\nfrom shop import fetch\n\nfrom flopod import detach_and_forget, detach_and_join_later\n"
    "from flopod import tap, wait_for_work, work, workflow\n"
    "from flopod.detach import flush_all_detached, microtask_batch_driver, registry\n\n"
)
_SEND = "async def send(x):\n    print(x)\n\n"


def _main(*lines: str) -> str:
    body = "".join(f"    {line}\n" for line in lines)
    return f"{_HEAD}{_SEND}@workflow\nasync def main(x):\n{body}"


class NotDetachable(Rule):
    code = "FLP127"
    title = "What is detached cannot be found by its name"
    why = (
        "What is detached is a run of its own, which may begin after a crash and in another process: its "
        "function is known by its module and name, and its input is written to a log."
    )
    message = "{text} cannot be detached: {reason}"
    help = "{rewrite}"
    ways = (
        "name a function at the top level of a module: a leaf, or a workflow",
        "give what a nested function closes over as the input",
        "put options above the function: `@activity(retry=...)`",
    )
    valid = (
        _main("detach_and_forget(microtask_batch_driver, send, x)"),
        _main(
            "handle = detach_and_join_later(microtask_batch_driver, send, x)", "return await handle.wait()"
        ),
        _main("asyncio.create_task(send(x))", "return await fetch(x)"),
    )
    invalid = (
        _main("detach_and_forget(microtask_batch_driver, send(x))  # FLP127"),
        _main("detach_and_forget(microtask_batch_driver, lambda y: y, x)  # FLP127"),
        _main(
            "async def inner(y):",
            "    await send(y)",
            "",
            "detach_and_forget(microtask_batch_driver, inner, x)  # FLP127",
        ),
    )


class NotABlock(Rule):
    code = "FLP128"
    title = "What a side chain runs is not known"
    why = (
        "A side chain runs a leaf or a part of this workflow beside its main line. What it records goes by "
        "the name of that function."
    )
    message = "{text} cannot run as a side chain: {reason}"
    help = "{rewrite}"
    ways = (
        "name a leaf, a workflow, or a function nested in the workflow",
        "hand over the function and its value: `work(send, order)`",
    )
    valid = (
        _main("work(send, x)", "await wait_for_work()"),
        _main("async def inner(y):", "    await send(y)", "", "return await tap(inner, x)"),
    )
    invalid = (
        _main("work(send(x), x)  # FLP128"),
        _main("work(lambda y: y, x)  # FLP128"),
        _main("await tap(x.send, x)  # FLP128"),
    )


class OfProcess(Rule):
    code = "FLP129"
    title = "Something of the process or of a driver in a workflow"
    why = (
        "A driver makes handles and moves them on, and a process flushes what it has detached. A run is "
        "driven by any process, and by several one after the other: what one of them holds is not the run's."
    )
    message = "{callee} is for drivers and for the end of a process, and this is a workflow"
    help = "{rewrite}"
    ways = ("wait for the handles: `await handle.wait()`",)
    valid = (
        _main(
            "handles = []",
            "detach_and_join_later(microtask_batch_driver, send, x, on_handle=handles.append)",
            "return [await handle.wait() for handle in handles]",
        ),
    )
    invalid = (_main("await flush_all_detached()  # FLP129"), _main("return len(registry)  # FLP129"))
