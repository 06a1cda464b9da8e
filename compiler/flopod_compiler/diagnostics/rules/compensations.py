"""Rules about what undoes the steps of a run."""

from __future__ import annotations

from flopod_compiler.diagnostics.rule import Rule

_HEAD = (
    "from flopod import compensate, workflow\n\nasync def reserve(item):\n    print(item)\n\n"
    "async def release(item):\n    print(item)\n\n"
)


class BadCompensation(Rule):
    code = "FLP123"
    title = "A compensation that is no leaf"
    why = (
        "`compensate` registers a call for later: a leaf and its arguments. The run itself calls it if it "
        "fails, also in another process after a crash, and records it like every leaf."
    )
    message = "`{text}` cannot be registered as a compensation: {reason}"
    help = "{rewrite}"
    ways = (
        "hand over a function by its name, and its arguments: `compensate(release, item)`",
        "of a workflow, hand over the leaves that it calls, the last one first",
    )
    valid = (
        _HEAD + "@workflow\nasync def main(item):\n    await reserve(item)\n"
        "    compensate(release, item)\n    return item\n",
    )
    invalid = (
        _HEAD + "@workflow\nasync def main(item):\n    await reserve(item)\n"
        "    compensate(lambda: print(item))  # FLP123\n",
        _HEAD + "@workflow\nasync def main(item):\n    await reserve(item)\n"
        "    compensate(release(item))  # FLP123\n",
        _HEAD + "@workflow\nasync def both(item):\n    await release(item)\n\n"
        "@workflow\nasync def main(item):\n    compensate(both, item)  # FLP123\n    await reserve(item)\n",
    )
