"""FLP4xx: module-level state that a workflow changes or reads."""

from __future__ import annotations

from flopod_compiler.diagnostics.rule import Rule

_HEAD = "from flopod import workflow\n\n"
_LINE = (
    _HEAD + "class Line:\n    def ship(self) -> None:\n        print('out')\n        self.shipped = True\n\n"
)


class NoCodec(Rule):
    code = "FLP401"
    title = "A value that no log can hold"
    why = (
        "Inputs of workflows and results of leaves are written to the log, so that a resume has them "
        "again. A "
        "connection, a lock, a task or a stream is bound to its process: the run fails with "
        "SerializableError."
    )
    message = "{what} cannot be recorded: {place} is a {type}"
    help = "keep it inside the leaf that uses it, or in a variable of its module, and hand on plain data"
    severity = "warning"
    valid = (
        "import httpx\n" + _HEAD + "async def fetch(url: str) -> str:\n"
        "    async with httpx.AsyncClient() as client:\n        return (await client.get(url)).text\n\n"
        "@workflow\nasync def main(url: str):\n    return await fetch(url)\n",
    )
    invalid = (
        "import httpx\n"
        + _HEAD
        + "async def connect() -> httpx.AsyncClient:\n    return httpx.AsyncClient()\n\n"
        "@workflow\nasync def main():\n    await connect()  # FLP401\n",
        "import sqlite3\nfrom dataclasses import dataclass\n"
        + _HEAD
        + "@dataclass\nclass Shop:\n    name: str\n"
        "    db: sqlite3.Connection\n\n@workflow\nasync def main(shop: Shop):  # FLP401\n    return "
        "shop.name\n",
    )


class GlobalWrite(Rule):
    code = "FLP403"
    title = "A workflow assigns a module variable"
    why = (
        "Module variables belong to the process, not to the run: another run sees the change, and a "
        "resume elsewhere does not."
    )
    message = "the workflow assigns the module variable {name}"
    help = "keep the value in a local variable and return it, or store it in a leaf"
    valid = (_HEAD + "LIMIT = 3\n\n@workflow\nasync def main():\n    return LIMIT\n",)
    invalid = (
        _HEAD
        + "count = 0\n\n@workflow\nasync def main():\n    global count\n    count += 1  # FLP403\n"
        + "    return count\n",
    )


class GlobalMutation(Rule):
    code = "FLP404"
    title = "A workflow changes an object that belongs to a module"
    why = (
        "The object belongs to the process, not to the run: another run sees the change, and a resume "
        "applies it again."
    )
    message = "the workflow changes {name}, which belongs to its module"
    help = "{rewrite}"
    ways = (
        "work on a copy, `seen = copy.deepcopy(SEEN)`, or change it in a leaf",
        "a default value is made once: write `rows=None` in the header, and make the list in the body",
        "a set that keeps tasks from being collected is not needed: one that nobody awaits surely runs",
    )
    valid = (_HEAD + "RATES = {'a': 1}\n\n@workflow\nasync def main():\n    return RATES['a']\n",)
    invalid = (
        _HEAD + "seen = []\n\n@workflow\nasync def main():\n    seen.append(1)  # FLP404\n    return 1\n",
        _HEAD + "seen = {}\n\n@workflow\nasync def main():\n    seen['a'] = 1  # FLP404\n    return 1\n",
        _HEAD + "@workflow\nasync def main(x: int, rows: list[int] = []):\n    rows.append(x)  # FLP404\n"
        "    return rows\n",
    )


_LOCAL = (
    "from dataclasses import dataclass\n"
    + _HEAD
    + "async def ship(order) -> int:\n    print(order)\n    return 1\n\n"
    "@workflow\nasync def main():\n    @dataclass\n    class Order:\n        n: int\n\n"
)


class LocalObject(Rule):
    code = "FLP405"
    title = "An object of a local class, or a local function, that is recorded"
    why = (
        "Arguments of leaves and results of workflows are written to the log, and read back by the names of "
        "their module and class. What a function defines has no such name: the run fails with "
        "SerializableError."
    )
    message = "{where} {what}, which is defined inside a function and cannot be recorded"
    help = "move {name} to the top level of the module"
    valid = (
        _LOCAL + "    return Order(await ship(2)).n\n",
        "from dataclasses import dataclass\n" + _HEAD + "@dataclass\nclass Order:\n    n: int\n\n"
        "async def ship(order: Order) -> int:\n    print(order)\n    return 1\n\n"
        "@workflow\nasync def main():\n    return await ship(Order(1))\n",
    )
    invalid = (
        _LOCAL + "    return await ship(Order(1))  # FLP405\n",
        _LOCAL + "    orders = [Order(1)]\n    return await ship(orders)  # FLP405\n",
        _LOCAL + "    await ship(1)\n    return Order(1)  # FLP405\n",
        _HEAD + "@workflow\nasync def main():\n    return lambda x: x + 1  # FLP405\n",
    )


class LeafChangesReceiver(Rule):
    code = "FLP406"
    title = "A method with effects that changes its own object"
    why = (
        "The method runs as a leaf, once; its result is recorded, and so is the new state of its arguments. "
        "Where the class of the object is known, the object is made an argument; here it is not, and after a "
        "resume the change would be missing."
    )
    message = "{method} has effects ({reason}) and changes the object it is called on"
    help = (
        "give the object a variable with the annotation of its class, or pass it to a function, whose "
        "arguments are recorded: `{function}({receiver})`"
    )
    valid = (
        _LINE + "@workflow\nasync def main(line: Line):\n    line.ship()\n    return line.shipped\n",
        _LINE + "def find() -> Line:\n    return Line()\n\n@workflow\nasync def main():\n    find().ship()\n",
    )
    invalid = (
        _LINE
        + "def find():\n    return Line()\n\n@workflow\nasync def main():\n    find().ship()  # FLP406\n",
    )


class MutableRead(Rule):
    code = "FLP408"
    title = "A workflow reads an object of its module that the program changes"
    why = "What the workflow reads would depend on when it runs: it may be another after a resume."
    message = "the workflow reads {name}, which is changed elsewhere in the project"
    help = "read it in a leaf, which records what it saw, or pass it to the workflow as an argument"
    valid = GlobalMutation.valid
    invalid = (
        _HEAD
        + "seen = []\n\ndef note(x):\n    seen.append(x)\n\n"
        + "@workflow\nasync def main():\n    return len(seen)  # FLP408\n",
        _HEAD
        + "class Client:\n    url = 'here'\n\n    def __init__(self):\n        self.calls = 0\n\n"
        + "    async def send(self):\n        print('sent')\n        self.calls += 1\n\nclient = Client()\n\n"
        + "@workflow\nasync def main():\n    await client.send()\n"
        + "    return client.url, client.calls  # FLP408\n",
    )
