"""FLP30x, FLP310, FLP606: errors that vanish, and code that never runs."""

from __future__ import annotations

from flopod_compiler.diagnostics.rule import Rule
from flopod_compiler.diagnostics.rules.calls import _body


class SwallowedCancel(Rule):
    code = "FLP301"
    title = "A handler that swallows the cancellation of the run"
    why = (
        "A run is cancelled by an exception, as an asyncio task is: CancelledError, a BaseException. "
        "A handler that "
        "catches it and goes on makes the run deaf to `flopod runs cancel`, and to the timeouts around it."
    )
    message = "`{caught}` also catches the cancellation of the run, and goes on"
    help = "write `except Exception:`, or end the handler with `raise`"
    severity = "warning"
    valid = (
        _body("try:", "    return await fetch(1)", "except Exception:", "    return None"),
        _body(
            "try:", "    return await fetch(1)", "except BaseException:", "    print('failed')", "    raise"
        ),
    )
    invalid = (
        _body("try:", "    return await fetch(1)", "except:  # FLP301", "    return None"),
        _body("try:", "    return await fetch(1)", "except BaseException:  # FLP301", "    return None"),
    )


class ReturnInFinally(Rule):
    code = "FLP302"
    title = "A `finally` that is left by return, break or continue"
    why = (
        "It discards the exception that is on its way, the cancellation of the run among them, "
        "without a word."
    )
    message = "`{word}` in `finally` discards the exception that is on its way"
    help = "leave the function or the loop after the `try`, and catch what is expected with `except`"
    severity = "warning"
    valid = (_body("try:", "    result = await fetch(1)", "finally:", "    print('done')", "return result"),)
    invalid = (
        _body("try:", "    await fetch(1)", "finally:", "    return 1  # FLP302"),
        _body(
            "for x in xs:", "    try:", "        await fetch(x)", "    finally:", "        continue  # FLP302"
        ),
    )


class AssertedCall(Rule):
    code = "FLP310"
    title = "An assert with a durable call"
    why = (
        "`python -O` removes asserts, and the call with them: the log of a run that was made without "
        "-O would not "
        "fit the program any more."
    )
    message = "this assert contains a durable call, which `python -O` removes"
    help = "assign the result first: `ok = await check(x)`, then `assert ok`"
    severity = "warning"
    valid = (_body("answer = await fetch(1)", "assert answer", "return answer"),)
    invalid = (_body("assert await fetch(1)  # FLP310", "return 1"),)


class Unreachable(Rule):
    code = "FLP606"
    title = "A durable call that is never reached"
    why = "Code behind `return`, `raise`, `break` or `continue` in the same block never runs."
    message = "this is never reached: line {line} leaves the block by `{word}`"
    help = "remove it, or move it in front of the line that leaves"
    severity = "warning"
    valid = (_body("if not xs:", "    return None", "return await fetch(xs[0])"),)
    invalid = (_body("return 1", "await fetch(1)  # FLP606"),)
