"""The workflow that is measured: steps that do nothing, one after the other."""

from flopod import activity, workflow


@activity
async def step(number: int) -> int:
    """A leaf without work, marked because it is else taken for the pure function that it is."""
    return number


@workflow
async def sequence(count: int) -> int:
    """Take `count` steps and return their sum."""
    total = 0
    for number in range(count):
        total += await step(number)
    return total
