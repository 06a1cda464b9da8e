"""FLP207, FLP216: loops without an end or a pause."""

from __future__ import annotations

from flopod_compiler.diagnostics.rule import Rule
from flopod_compiler.diagnostics.rules.calls import _body


class BusyLoop(Rule):
    code = "FLP207"
    title = "A loop that waits by looking at the clock"
    why = (
        "Each look at the clock is recorded. A loop that does nothing else fills the log as fast as "
        "the machine "
        "can, and nothing else of the run happens meanwhile."
    )
    message = "this loop waits by asking {clock}() again and again; each answer is recorded"
    help = "sleep instead: `await asyncio.sleep(60)`, or `await sleep_until(when)` of flopod"
    severity = "warning"
    valid = (
        _body("import asyncio, time", "while time.time() < 9:", "    await asyncio.sleep(1)", "return 1"),
    )
    invalid = (_body("import time", "while time.time() < 9:  # FLP207", "    pass", "return 1"),)


class EndlessLoop(Rule):
    code = "FLP216"
    title = "A loop that cannot end"
    why = (
        "Nothing in the loop changes its condition, leaves it or awaits; other code of the run gets "
        "no turn until "
        "it ends, so it never does, in plain Python as well."
    )
    message = "nothing in this loop changes `{text}`, leaves it, or waits"
    help = 'wait for what should change it, for example `await wait_for("ready")`, or leave it with `break`'
    severity = "warning"
    valid = (_body("n = 3", "while n:", "    n -= 1", "return n"),)
    invalid = (_body("ready = False", "while not ready:  # FLP216", "    pass", "return 1"),)
