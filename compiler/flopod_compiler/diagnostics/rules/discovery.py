"""FLP0xx: finding the sources of a project and the workflows in them."""

from __future__ import annotations

from flopod_compiler.diagnostics.rule import Rule

_PLAIN = """
from flopod import workflow

@workflow
async def main(x: int) -> int:
    return x
"""


def _told(value: str, code: str) -> str:
    """The plain workflow with another value, and a comment that says what is reported for it."""
    above = f"# {code}: the next line\n    " if code else ""
    return _PLAIN.replace("return x", f"{above}return {value}")


_FETCHING = (
    "from flopod import workflow\nimport httpx\n\nasync def fetch(x: int) -> str:\n"
    "    return httpx.get(str(x)).text\n\n@workflow\nasync def main(xs: list[int]):\n"
)


class EntryNotFound(Rule):
    code = "FLP001"
    title = "A function that the configuration lists does not exist"
    why = (
        "`[tool.flopod] workflows` names functions as `module:function`; an entry that names nothing "
        "would vanish silently."
    )
    message = "pyproject.toml lists {entry!r} under {key}, but {reason}"
    help = "write `module:function` with the module's dotted name below the source root{hint}"
    valid = (
        {
            "pyproject.toml": '[tool.flopod]\nworkflows = ["shop:fulfil"]\n',
            "shop.py": "async def fulfil(x: int) -> int:\n    return x\n",
        },
    )
    invalid = (
        {
            "pyproject.toml": '[tool.flopod]\nworkflows = ["shop:fulfill"]  # FLP001\n',
            "main.py": _PLAIN,
            "shop.py": "async def fulfil(x: int) -> int:\n    return x\n",
        },
    )


class NoWorkflow(Rule):
    code = "FLP003"
    title = "No workflow was found"
    why = (
        "A build without a workflow has nothing to run. Most often a decorator is misspelled or was "
        "imported from elsewhere."
    )
    message = "no workflow found in {files}{near}"
    help = (
        "put `@workflow` (from flopod import workflow) above the function that is the workflow, or list "
        "it in pyproject.toml: [tool.flopod] workflows = [{entry!r}]"
    )
    valid = (_PLAIN,)
    invalid = ("async def main(x: int) -> int:  # FLP003\n    return x\n",)


class MarkerMisspelled(Rule):
    code = "FLP004"
    title = "A marker that looks like @workflow is not flopod's"
    why = (
        "A decorator that only resembles `@workflow` marks nothing: the function would stay plain "
        "Python and lose its durability."
    )
    message = "{decorator} does not mark a workflow: {reason}"
    help = "write {rewrite}"
    valid = (_PLAIN,)
    invalid = (
        _PLAIN + "\n@worklfow  # FLP004\nasync def other(x: int) -> int:\n    return x\n",
        _PLAIN + "\n@flopod.workflow  # FLP004\nasync def other(x: int) -> int:\n    return x\n",
    )


class NotReadable(Rule):
    code = "FLP005"
    title = "A source file cannot be read"
    why = (
        "The compiler reads every Python file below the source root, in the encoding the file declares, "
        "as the interpreter does."
    )
    message = "the file cannot be read as Python source: {reason}"
    help = (
        "save the file as UTF-8, declare its encoding in the first line (# -*- coding: ... -*-), or "
        "move it out of the source root"
    )
    valid = (
        _PLAIN,
        {"main.py": "# -*- coding: latin-1 -*-\nX = '\xe9'\n".encode("latin-1") + _PLAIN.encode()},
    )
    invalid = (
        {"main.py": b"X = '\xe9'  # FLP005\n"},
        {"main.py": b"# -*- coding: ascii -*-\nX = 1\nY = '\xe9'  # FLP005\n"},
        {"main.py": b"# -*- coding: klingon -*-  # FLP005\n"},
        {"main.py": b"X = '\x00'  # FLP005\n"},
    )


class NewerSyntax(Rule):
    code = "FLP006"
    title = "Syntax of a newer Python than the one that compiles"
    why = (
        "The sources are parsed by the interpreter that runs flopod; it does not know syntax that came "
        "after it."
    )
    message = "{reason}: this looks like syntax newer than Python {version}, which is compiling"
    help = "run flopod with the Python the source is written for, or use the older form"
    valid = (_PLAIN,)
    invalid = ("NAME = t'{1}'  # FLP006\n",)


class NotParsed(Rule):
    code = "FLP007"
    title = "A source file does not parse"
    why = "Only what Python itself can parse can be compiled."
    message = "{reason}"
    help = "correct the syntax; `python -m py_compile` shows the same error"
    valid = (_PLAIN,)
    invalid = ("def broken(:  # FLP007\n    pass\n",)


class TooDeep(Rule):
    code = "FLP008"
    title = "Code nested too deeply"
    why = (
        "Parser and compiler descend into nested code; beyond some depth Python's own stack would end "
        "the build instead of a message."
    )
    message = "{what} is nested too deeply to compile"
    help = "give inner parts names of their own, or keep large data in a file that the program reads"
    valid = (_PLAIN,)
    invalid = ("x = " + "(" * 300 + ")" * 300 + "  # FLP008\n",)


class BadConfig(Rule):
    code = "FLP009"
    title = "The configuration cannot be used"
    why = (
        "`[tool.flopod]` in pyproject.toml has few keys; a wrong type or a misspelled key would "
        "otherwise be ignored."
    )
    message = "pyproject.toml: {reason}"
    help = "{rewrite}"
    ways = (
        "the keys are `workflows`, `include`, `pure` and `leaves`, lists of strings, and `hooks`, a string",
    )
    valid = ({"pyproject.toml": "[tool.flopod]\ninclude = []\n", "main.py": _PLAIN},)
    invalid = (
        {"pyproject.toml": '[tool.flopod]\nworkflow = ["main:main"]  # FLP009\n', "main.py": _PLAIN},
        {"pyproject.toml": "# FLP009: the next line\n[tool.flopod\n", "main.py": _PLAIN},
    )


class ModuleTwice(Rule):
    code = "FLP010"
    title = "Two files have one module name"
    why = "Python would import one of them and never see the other."
    message = "{name} is also {other}"
    help = "rename or remove one of the two files"
    valid = (_PLAIN,)
    invalid = ({"main.py": _PLAIN, "shop.py": "VALUE = 1  # FLP010\n", "shop/__init__.py": ""},)


class WorkflowTwice(Rule):
    code = "FLP011"
    title = "Two workflows have one name"
    why = (
        "A run is started by the name of its workflow, and its log names it; with two of one name "
        "neither can be found again."
    )
    message = "the workflow name {name!r} is used twice"
    help = "give one of them another name: @workflow(name={other!r})"
    valid = (_PLAIN,)
    invalid = ({"a.py": _PLAIN, "b.py": _PLAIN.replace("int:\n", "int:  # FLP011\n")},)


class PragmaWithoutReason(Rule):
    code = "FLP012"
    title = "A suppression without a reason"
    why = "A finding that is silenced without a word cannot be reviewed later."
    message = "the suppression of {codes} gives no reason"
    help = "write why it is right here: # flopod: ignore[{codes}] the reason"
    valid = (_PLAIN,)
    invalid = (_told("id(x)  # flopod: ignore[FLP209]", "FLP012, FLP209"),)


class PragmaUnknown(Rule):
    code = "FLP013"
    title = "A pragma that says nothing the compiler knows"
    why = "A misspelled pragma would leave an id or a finding as it was, without a word."
    message = "{reason}"
    help = (
        "the pragmas are `# flopod: id=name`, `# flopod: key=expression` and `# flopod: ignore[FLPnnn] "
        "reason`"
    )
    valid = (_PLAIN,)
    invalid = (
        _told("x  # flopod: idd=main", "FLP013"),
        _told("x  # flopod: ignore[FLP999] it is harmless", "FLP013"),
    )


class PragmaUnused(Rule):
    code = "FLP014"
    title = "A suppression that suppresses nothing"
    why = "It outlived the finding it was written for and would hide the next one."
    message = "nothing on this line is reported as {code}"
    help = "remove the pragma"
    severity = "warning"
    valid = (_PLAIN,)
    invalid = (_told("x  # flopod: ignore[FLP209] old", "FLP014"),)


class PragmaRefused(Rule):
    code = "FLP015"
    title = "A suppression of an error that cannot be suppressed"
    why = (
        "Most errors say that a statement has no faithful translation; silenced, the compiled program would "
        "not do what the source says. Only findings about code that is translated as it stands can be "
        "silenced: all warnings, and the errors whose page says so."
    )
    message = "{code} cannot be suppressed ({title})"
    help = "change the code as the help of {code} says, and remove the pragma"
    valid = (_told("id(x)  # flopod: ignore[FLP209] it is only logged", ""),)
    invalid = (
        _PLAIN.replace(
            "return x",
            "# FLP015, FLP213: the next line\n    return open(str(x))  # flopod: ignore[FLP213] please",
        ),
    )


class WorkflowRebound(Rule):
    code = "FLP016"
    title = "A workflow whose name is bound again"
    why = "A run finds its workflow by module and name; after a second binding the name means something else."
    message = "the name of the workflow {name} is bound again in line {line}"
    help = "give one of the two another name"
    valid = (_PLAIN,)
    invalid = (
        _PLAIN.replace("int:\n", "int:  # FLP016\n") + "\ndef main(x: int) -> int:\n    return -x\n",
        _PLAIN.replace("int:\n", "int:  # FLP016\n") + "\nmain = print\n",
    )


class MarkedByCall(Rule):
    code = "FLP017"
    title = "A workflow that is marked by a call"
    why = (
        "Workflows are found in the source, by the decorator above a function or by the configuration. A "
        "call marks its function when the program runs: compiled, it would be one leaf as a whole."
    )
    message = "`{text}` marks a workflow by a call, where it is not found"
    help = "{rewrite}"
    ways = (
        "put `@workflow` above the function",
        "list a function in pyproject.toml: `[tool.flopod] workflows = ['shop.orders:fulfil']`",
    )
    valid = (_PLAIN,)
    invalid = (
        _PLAIN + "\nasync def undo(x: int) -> int:\n    return x\n\nregistered = workflow(undo)  # FLP017\n",
        _PLAIN + "\nasync def undo(x: int) -> int:\n    return x\n\n"
        "registered = workflow(name='u')(undo)  # FLP017\n",
        _PLAIN + "\ndef register(fn):\n    return workflow(fn)  # FLP017\n",
        _PLAIN + "\nFOUND = list(map(workflow, [print]))  # FLP017\n",
    )


class PragmaIdle(Rule):
    code = "FLP018"
    title = "A pragma that names nothing"
    why = (
        "An id or a key is taken by what stands on its line. Where nothing takes it, the call or loop that "
        "was meant keeps the name it has by itself, and loses its records when that changes."
    )
    message = "`{text}` has no effect: {why}"
    help = "{rewrite}; or remove it"
    ways = (
        "`# flopod: id=name` stands on the line of a durable call, or on the header of a loop, an `if` or a "
        "`match` with durable calls inside",
        "`# flopod: key=expression` stands on the header of a `for`, or on the line of a comprehension, with "
        "durable calls inside",
        "a call on the header of a block takes none: give its result a variable, in a line of its own",
        "a pragma on a line of its own speaks for the next line with code",
    )
    severity = "warning"
    valid = (
        _FETCHING + "    return [await fetch(x) for x in xs]  # flopod: id=pages key=x\n",
        _FETCHING + "    # flopod: id=first\n    return await fetch(xs[0])\n",
    )
    invalid = (
        _FETCHING
        + "    # FLP018: the next line\n    total = sum(xs)  # flopod: id=total\n    return total\n",
        _FETCHING + "    # FLP018: the next line\n    return await fetch(xs[0])  # flopod: key=xs\n",
        _FETCHING
        + "    # FLP018: the next line\n    while await fetch(1):  # flopod: key=xs\n        pass\n",
        "# FLP018: the next line\nLIMIT = 3  # flopod: id=limit\n" + _FETCHING + "    return LIMIT\n",
    )
