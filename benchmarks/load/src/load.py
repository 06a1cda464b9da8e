"""What the load bench runs: a workflow of one step, and one that waits."""

from flopod import wait_for, workflow


async def doubled(number: int) -> int:
    return number * 2


@workflow
async def one_step(number: int) -> int:
    return await doubled(number)


@workflow
async def waiting(number: int) -> int:
    answer = await wait_for("answer", int)
    return await doubled(number + (answer or 0))
