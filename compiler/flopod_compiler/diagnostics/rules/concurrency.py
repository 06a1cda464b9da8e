"""FLP304, FLP305, FLP311: state that arms of one run share."""

from __future__ import annotations

from flopod_compiler.diagnostics.rule import Rule
from flopod_compiler.diagnostics.rules.calls import _HEAD, _body

_ASYNC = "import asyncio\n" + _HEAD


class LostUpdate(Rule):
    code = "FLP304"
    title = "An update of a shared variable with an await in the middle"
    why = (
        "`total += await f()` reads total, waits, and then writes. Arms that run side by side all "
        "read the same "
        "old value, and the last one to write wins: in plain Python just as here."
    )
    message = "`{name}` is read before the wait and written after it, and other arms write it meanwhile"
    help = "await first: `value = await ...`, then update `{name}` with value"
    severity = "warning"
    valid = (
        _body(
            "total = ''",
            "async def arm(x):",
            "    nonlocal total",
            "    value = await fetch(x)",
            "    total += value",
            "await asyncio.gather(*[arm(x) for x in xs])",
            "return total",
            head=_ASYNC,
        ),
    )
    invalid = (
        _body(
            "total = ''",
            "async def arm(x):",
            "    nonlocal total",
            "    total += await fetch(x)  # FLP304",
            "await asyncio.gather(*[arm(x) for x in xs])",
            "return total",
            head=_ASYNC,
        ),
    )


class SharedByArms(Rule):
    code = "FLP311"
    title = "An object that several calls side by side are given, and one of them changes"
    why = (
        "A leaf gets a copy of its arguments, and what it changed is put back when it ends. When "
        "another arm has "
        "changed the object meanwhile, the two states cannot be joined, and the run fails with "
        "SharedArgument."
    )
    message = "the leaf {leaf} changes `{name}`, which another arm has as well"
    help = (
        "give each arm an object of its own, or let the leaf return what is new and join the results "
        "afterwards"
    )
    severity = "warning"
    valid = (
        _ASYNC
        + "async def note(seen: list, x: int) -> None:\n    httpx.get(str(x))\n    seen.append(x)\n\n"
        + "@workflow\nasync def main():\n    one, two = [], []\n"
        + "    await asyncio.gather(note(one, 1), note(two, 2))\n    return one + two\n",
    )
    invalid = (
        _ASYNC
        + "async def note(seen: list, x: int) -> None:\n    httpx.get(str(x))\n    seen.append(x)\n\n"
        + "@workflow\nasync def main():\n    seen = []\n"
        + "    await asyncio.gather(\n        note(seen, 1),  # FLP311\n        note(seen, 2),\n    )\n"
        + "    return seen\n",
    )


class LateBinding(Rule):
    code = "FLP305"
    title = "A function of a loop that reads the loop's variable too late"
    why = (
        "A function looks a variable up when it runs, not when it is made. One that is kept or "
        "started as a task "
        "runs after its iteration, and then all of them see the value of the last one."
    )
    message = "{what} reads `{name}` when it runs, and that may be in a later iteration"
    help = "bind the value of this iteration: `{default}`"
    severity = "warning"
    valid = (
        _body(
            "later = []",
            "for x in xs:",
            "    later.append(lambda x=x: x + 1)",
            "return [one() for one in later]",
        ).replace("return [one() for one in later]", "return len(later)"),
    )
    invalid = (
        _body("later = []", "for x in xs:", "    later.append(lambda: x + 1)  # FLP305", "return len(later)"),
        _body(
            "arms = []",
            "for x in xs:",
            "    async def arm():",
            "        return await fetch(x)  # FLP305",
            "    arms.append(arm())",
            "return await asyncio.gather(*arms)",
            head=_ASYNC,
        ),
    )
