"""The workflow that is measured: steps that do nothing, one after the other."""

from flopod import activity, workflow


@activity
async def step(number: int) -> int:
    """A leaf without work, marked because it is else taken for the pure function that it is."""
    return number


@workflow
async def plain(count: int) -> int:
    """Take `count` steps."""
    for number in range(count):
        await step(number)
    return count


@workflow
async def carried(count: int) -> int:
    """Take `count` steps and count them in a variable that the loop carries."""
    taken = 0
    for number in range(count):
        taken += await step(number) >= 0
    return taken
