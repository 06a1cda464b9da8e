"""Rules about runs that a workflow starts."""

from __future__ import annotations

from flopod_compiler.diagnostics.rule import Rule

_HEAD = "from shop import fetch\n\nfrom flopod import start, workflow\n\n"
_SHIP = "@workflow\nasync def ship(x):\n    return await fetch(x)\n\n"
_PLAIN = "async def plain(x):\n    return x\n\n"


class NotStartable(Rule):
    code = "FLP126"
    title = "What is started is no workflow"
    why = (
        "A child is a run of its own: it is known by the name of its workflow, in this process and in the "
        "next one, and begins with arguments that are written to its log."
    )
    message = "{text} cannot be started as a run of its own: {reason}"
    help = "{rewrite}"
    ways = (
        "name a workflow of the project",
        "call the function: an unmarked one is a leaf",
        "mark the function `@workflow`, at the top level of its module",
    )
    valid = (
        _HEAD + _SHIP + "@workflow\nasync def main():\n    return await start(ship, 1).wait()\n",
        _HEAD + _SHIP + "@workflow\nasync def main(xs):\n    handles = [start(ship, x) for x in xs]\n"
        "    return [await handle.wait() for handle in handles]\n",
    )
    invalid = (
        _HEAD + _PLAIN + "@workflow\nasync def main():\n    return await start(plain, 1).wait()  # FLP126\n",
        _HEAD + _SHIP + "@workflow\nasync def main():\n    return await start(ship(1)).wait()  # FLP126\n",
        _HEAD + "@workflow\nasync def main():\n    async def inner(x):\n        return await fetch(x)\n\n"
        "    return await start(inner, 1).wait()  # FLP126\n",
    )
