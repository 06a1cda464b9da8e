"""The workflow that is measured: steps that do nothing, one after the other."""

from flopod import workflow


async def step(number: int) -> int:
    """A leaf without work, so that what remains is the price of its durability."""
    return number


@workflow
async def sequence(count: int) -> int:
    """Take `count` steps and return their sum."""
    total = 0
    for number in range(count):
        total += await step(number)
    return total
