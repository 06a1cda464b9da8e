"""FLP2xx and FLP3xx: what would differ from one execution to the next, and what runs beside the log."""

from __future__ import annotations

from flopod_compiler.diagnostics.rule import Rule
from flopod_compiler.diagnostics.rules.calls import _HEAD, _body


class Unseeded(Rule):
    code = "FLP201"
    title = "A random generator without a seed of its own"
    why = "Draws of the module `random` are recorded one by one; the state of a generator is not."
    message = "{callee} in a workflow"
    help = "{rewrite}"
    ways = ("use a generator of your own with a seed: `random.Random(7)`",)
    valid = (_body("import random", "return random.Random(7).random()"),)
    invalid = (
        _body("import random", "return random.Random().random()  # FLP201"),
        _body("import random", "random.seed(1)  # FLP201", "return random.random()"),
    )


class Identity(Rule):
    code = "FLP209"
    title = "The identity of an object in a workflow"
    why = "A resume builds the objects of a run anew: addresses and identity hashes are others then."
    message = "{callee} in a workflow: it is another value after a resume"
    help = "{rewrite}"
    ways = (
        "use a key of your own",
        "`hashlib` for a digest of a text, or the value itself as the key of a dict",
    )
    suppressible = True
    valid = (_body("return str(1)"),)
    invalid = (_body("return id(1)  # FLP209"), _body("return hash('a')  # FLP209"))


class Written(Rule):
    code = "FLP211"
    title = "Text written to a stream directly"
    why = (
        "`print` and `logging` in a workflow appear once over all resumes; a write to a stream would "
        "appear at each."
    )
    message = "{callee} in a workflow would write again at every resume"
    help = "{rewrite}"
    ways = ('print the text: `print(text, end="", file=sys.stderr)`',)
    valid = (_body("print('hello')"),)
    invalid = (_body("import sys", "sys.stdout.write('x')  # FLP211"),)


class Environment(Rule):
    code = "FLP212"
    title = "The environment read as a mapping"
    why = (
        "Calls like `os.getenv` are recorded once; an item of `os.environ` is no call, and may be "
        "another after a resume."
    )
    message = "os.environ is read in a workflow"
    help = (
        "call os.getenv(...) or os.environ.get(...), which are recorded, or read it at the top of the module"
    )
    valid = (_body("import os", "return os.getenv('HOME')"),)
    invalid = (_body("import os", "return os.environ['HOME']  # FLP212"),)


class FileAccess(Rule):
    code = "FLP213"
    title = "A file opened in a workflow"
    why = "An open file cannot be kept over a resume, and what is read from it may be another then."
    message = "{callee} in a workflow"
    help = "{rewrite}"
    ways = ("move the reading or writing into a function of its own: it becomes a leaf",)
    valid = (_body("return await fetch(1)"),)
    invalid = (_body("with open('a') as file:  # FLP213", "    return file.read()"),)


_LIMITED = _HEAD + "import aiolimiter\n\nLIMIT = aiolimiter.AsyncLimiter(3)\n\n"


class Resource(Rule):
    code = "FLP303"
    title = "A resource held by a workflow"
    why = (
        "A connection or a lock cannot be recorded: after a resume it would be missing, and its `with` "
        "block entered again."
    )
    message = "`{text}` holds a resource in a workflow"
    help = "{rewrite}"
    ways = (
        "move the whole block into a function of its own: it becomes a leaf",
        "enter a lock or limiter that all runs share inside the leaf that needs it",
        "make a lock or limiter of this run alone in the workflow: `limit = asyncio.Semaphore(3)`",
    )
    valid = (
        _body("from contextlib import suppress", "with suppress(ValueError):", "    return await fetch(1)"),
        _LIMITED + "async def load(x: int) -> str:\n    async with LIMIT:\n        return await fetch(x)\n\n"
        "@workflow\nasync def main():\n    return await load(1)\n",
    )
    invalid = (
        _LIMITED
        + "@workflow\nasync def main():\n    async with LIMIT:  # FLP303\n        return await fetch(1)\n",
        _body("with httpx.Client() as client:  # FLP303", "    return 1"),
        _body("async with httpx.AsyncClient() as client:  # FLP303", "    return await fetch(1)"),
    )


class Threads(Rule):
    code = "FLP309"
    title = "A thread, process or executor in a workflow"
    why = (
        "A workflow is stepped by one scheduler from one log; a thread beside it would see and change "
        "state in an order that nothing records."
    )
    message = "{callee} in a workflow"
    help = "{rewrite}"
    ways = (
        "call the function directly: a leaf may block, and `asyncio.gather` runs several at a time",
        "start the thread inside a leaf, and end it there",
    )
    valid = (_body("import asyncio", "return await asyncio.gather(fetch(1), fetch(2))"),)
    invalid = (
        _body("import threading", "threading.Thread(target=print).start()  # FLP309"),
        _body("import asyncio", "return await asyncio.to_thread(fetch, 1)  # FLP309"),
    )
