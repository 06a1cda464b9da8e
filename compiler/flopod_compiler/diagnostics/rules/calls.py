"""FLP1xx: the shape of calls in a workflow."""

from __future__ import annotations

from flopod_compiler.diagnostics.rule import Rule

_HEAD = """from flopod import workflow
import httpx

async def fetch(x: int) -> str:
    return httpx.get(str(x)).text

"""


def _body(*lines: str, head: str = _HEAD, arguments: str = "xs: list[int]") -> str:
    text = "".join(f"    {line}\n" for line in lines)
    return f"{head}@workflow\nasync def main({arguments}):\n{text}"


class NotAwaited(Rule):
    code = "FLP101"
    title = "An async call that is not awaited"
    why = (
        "Calling an async function only makes a coroutine; without `await` nothing runs, in plain "
        "Python as well."
    )
    message = "the result of the async call {callee} is {use} without being awaited"
    help = "write `await {text}`"
    valid = (_body("return await fetch(1)"), _body("pending = fetch(1)", "return await pending"))
    invalid = (
        _body("fetch(1)  # FLP101", "return 1"),
        _body("return fetch(1) + 'x'  # FLP101"),
        _body("if fetch(1):  # FLP101", "    return 1"),
        _body("pending = fetch(1)  # FLP101", "return 2"),
        _body("return await fetch(fetch(1))  # FLP101"),
        _body("return 1 if fetch(1) else 2  # FLP101"),
        _body("return (fetch(1), 2)  # FLP101"),
    )


class AwaitedTwice(Rule):
    code = "FLP103"
    title = "One coroutine awaited twice"
    why = "A coroutine runs once; the second await raises RuntimeError, in plain Python as well."
    message = "`{name}` is awaited a second time"
    help = "keep the result of the first: `result = await {name}`"
    valid = (_body("pending = fetch(1)", "result = await pending", "return result + result"),)
    invalid = (
        _body(
            "pending = fetch(1)", "first = await pending", "second = await pending  # FLP103", "return first"
        ),
    )


class NotAwaitable(Rule):
    code = "FLP117"
    title = "A plain call that is awaited"
    why = (
        "Only what an async function gives can be awaited. `await` of anything else is a TypeError, in plain "
        "Python as well, and it is raised when the call is over."
    )
    message = "{callee} is not async, and what it gives is awaited"
    help = "{rewrite}"
    ways = ("write the call without `await`", "make the function an `async def`")
    valid = (
        _HEAD + "def load(x: int) -> str:\n    return httpx.get(str(x)).text\n\n"
        "@workflow\nasync def main():\n    return load(1)\n",
        _HEAD + "def load(x: int):\n    return fetch(x)\n\n"
        "@workflow\nasync def main():\n    return await load(1)\n",
    )
    invalid = (
        _HEAD + "def load(x: int) -> str:\n    return httpx.get(str(x)).text\n\n"
        "@workflow\nasync def main():\n    return await load(1)  # FLP117\n",
        "import asyncio\n" + _HEAD + "def save(x: int):\n    httpx.get(str(x))\n\n"
        "@workflow\nasync def main():\n    await asyncio.gather(save(1), fetch(2))  # FLP117\n",
        _body("import time", "await time.sleep(1)  # FLP117"),
    )


_MAKE = _HEAD + (
    "def make(key: str):\n    async def load(x: int):\n        return httpx.get(key + str(x)).text\n\n"
    "    return load\n\n"
)


class UnnamedLeaf(Rule):
    code = "FLP118"
    title = "A leaf without a name of its own"
    why = (
        "A leaf is recorded under the name of its module and its own. A function that another function "
        "makes has none, and no log can hold it as a result; nor can a class of the workflow run as a leaf."
    )
    message = "`{text}` is a leaf and {what}; no name leads to that after a resume"
    help = "{rewrite}"
    ways = (
        "give the function what it closes over as parameters: `async def load(key, x)`",
        "make it at import, where it gets a name: `load = make('key')`",
        "write the factory as a nested function of the workflow",
    )
    valid = (
        _MAKE + "load = make('a')\n\n@workflow\nasync def main():\n    return await load(1)\n",
        _body("async def load(x):", "    return await fetch(x)", "", "f = load", "return await f(1)"),
    )
    invalid = (
        _MAKE + "@workflow\nasync def main():\n    f = make('a')  # FLP118\n    return await f(1)\n",
        _MAKE + "@workflow\nasync def main():\n    return await make('a')(1)  # FLP118\n",
        _body("class Local(xs[0]):", "    pass", "", "return Local()  # FLP118"),
    )


class UnknownDecorator(Rule):
    code = "FLP104"
    title = "A workflow with a decorator that the compiler does not know"
    why = (
        "A decorator replaces the function; what it does around the workflow would run again at every "
        "resume, unrecorded."
    )
    message = "{name} is wrapped by {decorator}, which the compiler cannot see through"
    help = "remove the decorator, and do its work inside the workflow or in a leaf"
    valid = (_body("return 1"),)
    invalid = (
        _HEAD + "import tenacity\n\n@workflow\n@tenacity.retry  # FLP104\nasync def main():\n    return 1\n",
        _HEAD + "def listed(cls):\n    httpx.post('classes', json=cls.__name__)\n    return cls\n\n"
        "@workflow\nasync def main():\n    @listed  # FLP104\n    class Local:\n        pass\n",
    )


class LeafInLambda(Rule):
    code = "FLP105"
    title = "An effect inside a lambda or a method of a local class"
    why = (
        "A lambda is called by other code, any number of times, and cannot await; each call of a leaf "
        "needs a place and an id of its own."
    )
    message = "{what} {callee} is called inside {where}"
    help = "{rewrite}"
    ways = (
        "write a comprehension: `[await fetch(x) for x in xs]`",
        "write a nested `async def`, which may call leaves",
        "move a class out of the workflow to the top level of the module",
    )
    valid = (_body("return [await fetch(x) for x in xs]"), _body("return sorted(xs, key=lambda x: -x)"))
    invalid = (
        _body("return list(map(lambda x: fetch(x), xs))  # FLP105"),
        _body("return sorted(xs, key=lambda x: httpx.get(str(x)).status_code)  # FLP105"),
    )


class Unresolved(Rule):
    code = "FLP106"
    title = "A call whose target cannot be known"
    why = (
        "The compiler must know whether a call has effects: an effect that is taken for plain code "
        "would happen again at every resume."
    )
    message = "the target of the call `{text}` is not known: {reason}"
    help = "{rewrite}"
    ways = (
        "annotate the variable, parameter or attribute with its class: `order: Order`",
        "call a function by its name, chosen with `if`/`elif` or `match`",
        "put the functions in a dict display that nothing changes: `HANDLERS = {'a': fetch}`",
        "move the call into a function of its own, which becomes a leaf",
        'where the name is known and harmless: `[tool.flopod] pure = ["shop.math.*"]`',
    )
    valid = (
        _HEAD
        + "class Order:\n    def total(self) -> int:\n        return 1\n\n"
        + "@workflow\nasync def main(order: Order):\n    return order.total()\n",
    )
    invalid = (
        _body("return order.charge_card()  # FLP106", arguments="order"),
        _body("return handlers['a'](1)  # FLP106", arguments="handlers: dict"),
        _body("return undefined_function(1)  # FLP106"),
    )


class DurableInHelper(Rule):
    code = "FLP107"
    title = "A plain function that waits, sleeps or calls a workflow"
    why = (
        "An unmarked function that a workflow calls is one leaf as a whole: it runs outside the log, "
        "where a primitive or a workflow has no run to belong to. A function that `@activity` makes a leaf "
        "may detach: what it detaches is known to its process alone."
    )
    message = "{function} is not a workflow, but {reason}"
    help = "put `@workflow` above {marked}, so that {become} of the run"
    ways = (
        "put `@workflow` above the function, and above each that calls it on the way",
        "wait in the workflow itself, and give the function what was waited for",
    )
    valid = (
        "from flopod import workflow, sleep\n\n@workflow\nasync def pause():\n    await sleep('1h')\n\n"
        "@workflow\nasync def main():\n    await pause()\n",
        "from flopod import activity, detach_and_forget, workflow\n"
        "from flopod.detach import microtask_batch_driver\n\n"
        "async def ship(order):\n    print(order)\n\n"
        "@activity\nasync def tell(order):\n    detach_and_forget(microtask_batch_driver, ship, order)\n\n"
        "@workflow\nasync def main():\n    await tell(1)\n",
    )
    invalid = (
        "from flopod import workflow, sleep\n\nasync def pause():\n    await sleep('1h')\n\n"
        "@workflow\nasync def main():\n    await pause()  # FLP107\n",
    )


class AsyncInSync(Rule):
    code = "FLP108"
    title = "An async call in a workflow that is not async"
    why = "A plain `def` cannot await: the coroutine would never run, in plain Python as well."
    message = "the async call {callee} in {workflow}, which is not `async def`"
    help = "write `async def {workflow}` and `await {text}`"
    valid = (_body("return await fetch(1)"),)
    invalid = (_HEAD + "@workflow\ndef main():\n    return fetch(1)  # FLP108\n",)


class StarImport(Rule):
    code = "FLP109"
    title = "A star import in a module with a workflow"
    why = (
        "With `from m import *` the compiler cannot know what a name means, so it cannot know what a "
        "call does."
    )
    message = "`from {module} import *` in a module with a workflow"
    help = "import the names that are used: from {module} import {names}"
    valid = (_body("return 1"),)
    invalid = ("from math import *  # FLP109\n" + _body("return 1"),)


class FunctionValue(Rule):
    code = "FLP110"
    title = "A function with effects passed to plain code that calls it"
    why = (
        "`sorted`, `map`, `filter` and the like are plain code in a workflow: what they call is not "
        "recorded and would happen again at every resume."
    )
    message = "{value} {what}, and {callee} would call it outside the log"
    help = "{rewrite}"
    ways = (
        "write the call in a comprehension: `[await fetch(x) for x in xs]`",
        "compute the keys first: `keys = {x: await fetch(x) for x in xs}`, then `key=keys.get`",
    )
    valid = (_body("return [await fetch(x) for x in xs]"), _body("return sorted(xs, key=abs)"))
    invalid = (
        _body("return list(map(fetch, xs))  # FLP110"),
        _body("return sorted(xs, key=fetch)  # FLP110"),
    )


_OPTIONED = (
    "from flopod import Retry, activity, workflow\n\n@activity({})  # FLP111\ndef f(x):\n    print(x)\n\n"
    "@workflow\nasync def main():\n    return f(1)\n"
)


class BadOptions(Rule):
    code = "FLP111"
    title = "Options that are not literals, or that flopod does not take"
    why = (
        "The name, version and queue of a workflow are part of the build; they must be known without running "
        "the program. An option that does not exist, or a duration that is none, would end the program at "
        "its start."
    )
    message = "{mark}: {reason}"
    help = "{rewrite}"
    ways = (
        'write literals: `@workflow(name="fulfil", version=2, queue="orders")`',
        'write durations like "30s", "5m", "1h30m" or "2d"',
    )
    valid = (
        "from flopod import workflow\n\n@workflow(name='m', version=2)\nasync def main():\n    return 1\n",
        _OPTIONED.format("timeout='5m', retry=Retry(max_attempts=5, delay=0.5)").replace("  # FLP111", ""),
    )
    invalid = (
        "from flopod import workflow\n\nNAME = 'a'\n\n@workflow(name=NAME)  # FLP111\nasync def main():\n"
        "    return 1\n",
        "from flopod import workflow, activity\n\nN = 'a'\n\ndef f(x):\n    print(x)\n\n"
        "@workflow\nasync def main():\n    return activity(f, name=N)(1)  # FLP111\n",
        "from flopod import workflow\n\n@workflow(nmae='a')  # FLP111\nasync def main():\n    return 1\n",
        "from flopod import wait_for, workflow\n\n@workflow\nasync def main():\n"
        "    return await wait_for('paid', int, timeout='2 fortnights')  # FLP111\n",
        _OPTIONED.format("retry=Retry(attempts=3)"),
        _OPTIONED.format("retry=Retry(max_attempts=0)"),
        _OPTIONED.format("timeout='5 parsecs'"),
        _OPTIONED.format("time_out='5s'"),
        "from flopod import sleep, workflow\n\n@workflow\nasync def main():\n"
        "    await sleep('1 fortnight')  # FLP111\n",
    )


class MisplacedWorkflow(Rule):
    code = "FLP112"
    title = "A workflow that is not a function of a module"
    why = (
        "A run is found again by its workflow's module and name; a method or an inner function has none "
        "of its own."
    )
    message = "{name} is {what}; a workflow is a function at the top level of a module"
    help = "{rewrite}"
    ways = (
        "move the function to the top level of the module",
        "remove the decorator of a function inside a workflow: it is a part of that workflow",
    )
    valid = (_body("return 1"),)
    invalid = (
        _body("return 1") + "\nclass Shop:\n    @workflow  # FLP112\n    async def sell(self):\n"
        "        return 1\n",
        _body("return 1") + "\ndef make():\n    @workflow  # FLP112\n    async def sell():\n"
        "        return 1\n    return sell\n",
    )


class TriedWorkflow(Rule):
    code = "FLP116"
    title = "A workflow that is tried like a leaf"
    why = (
        "Options of a leaf and `attempt` run a call outside of the workflow and try it again as a whole; "
        "a workflow runs inside, and each of its own calls is recorded once."
    )
    message = "{function} {what}, and {mark} is for leaves"
    help = (
        "give the retry to the leaves that {function} calls, or try it again in a loop: "
        "`for attempt in range(3):` with try and except around `{text}`"
    )
    valid = (
        _HEAD + "@workflow\nasync def child(x):\n    return await fetch(x)\n\n"
        "@workflow\nasync def main():\n    for attempt in range(3):\n        try:\n"
        "            return await child(1)\n        except OSError:\n            pass\n    return None\n",
    )
    invalid = (
        _HEAD.replace("import workflow", "import attempt, workflow")
        + "@workflow\nasync def child(x):\n    return await fetch(x)\n\n"
        "@workflow\nasync def main():\n    return await attempt(child, 1)  # FLP116\n",
        _HEAD.replace("import workflow", "import activity, workflow")
        + "@workflow\nasync def main():\n    async def child(x):\n        return await fetch(x)\n\n"
        "    return await activity(child, timeout='1m')(1)  # FLP116\n",
    )


class OnlyInLeaf(Rule):
    code = "FLP124"
    title = "Something of a running leaf in a workflow"
    why = (
        "`heartbeat` and `current_activity` are about the call of a leaf while it runs: its attempt, its "
        "progress, its key. A workflow is not called once; it is replayed."
    )
    message = "{callee} is for leaves, and this is a workflow"
    help = "{rewrite}"
    ways = ("write it into a function that the workflow calls",)
    valid = (
        "from flopod import heartbeat, workflow\n\nasync def copy(pages):\n    for page in pages:\n"
        "        heartbeat(page)\n        print(page)\n\n"
        "@workflow\nasync def main(pages):\n    await copy(pages)\n",
    )
    invalid = (
        _HEAD.replace("import workflow", "import heartbeat, workflow")
        + "@workflow\nasync def main(x):\n    heartbeat(x)  # FLP124\n    return await fetch(x)\n",
        _HEAD.replace("import workflow", "import current_activity, workflow")
        + "@workflow\nasync def main():\n    return await fetch(current_activity().attempt)  # FLP124\n",
    )
