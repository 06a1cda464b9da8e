"""FLP113, FLP210: what happens when a module of a workflow is imported."""

from __future__ import annotations

from flopod_compiler.diagnostics.rule import Rule
from flopod_compiler.diagnostics.rules.calls import _body


class WorkflowAtImport(Rule):
    code = "FLP113"
    title = "A workflow that is called when its module is imported"
    why = (
        "The program that runs the workflow imports the module first. The call would start a second "
        "execution, "
        "outside of any run, and the compiled workflow cannot be called without one."
    )
    message = "importing this module calls the workflow {name}"
    help = 'put the call below `if __name__ == "__main__":`'
    valid = (
        _body("return 1")
        + "\nif __name__ == '__main__':\n    import asyncio\n    print(asyncio.run(main([])))\n",
    )
    invalid = (
        _body("return 1", head="import asyncio\nfrom flopod import workflow\n\n")
        + "\nasyncio.run(main([]))  # FLP113\n",
    )


class EffectAtImport(Rule):
    code = "FLP210"
    title = "An effect of importing a module that a workflow reaches"
    why = (
        "The modules of a workflow are imported at each start of a process: at each resume the "
        "effect happens once "
        "more, and no log records it."
    )
    message = "importing {module} calls {what}, at each start and each resume"
    help = 'move `{text}` into a leaf that the workflow calls, or below `if __name__ == "__main__":`'
    severity = "warning"
    valid = (_body("return await fetch(1)") + "\nif __name__ == '__main__':\n    print(httpx.get('x'))\n",)
    invalid = (_body("return await fetch(1)") + "\nhttpx.post('http://localhost/started')  # FLP210\n",)
