"""The builtins: which are pure, which are refused in a workflow."""

from __future__ import annotations

import builtins

from flopod_compiler.knowledge.known import OUTPUT, PURE, Known, pure, refused, words

_PURE = """
    abs all any ascii bin bool bytearray bytes callable chr classmethod complex dict dir divmod enumerate
    filter float format frozenset getattr hasattr hex int isinstance issubclass iter len list map max
    memoryview min object oct ord pow property range repr reversed round set slice sorted staticmethod str
    sum super tuple type vars zip
"""

_REFLECTION = "call the code itself instead of building or looking it up as text"

_REFUSED = {
    **{name: refused("FLP605", _REFLECTION) for name in ("exec", "eval", "compile", "__import__")},
    **{
        name: refused("FLP605", "use the variables by name; the compiled function has others of its own")
        for name in ("globals", "locals")
    },
    "input": refused("FLP605", 'wait for the answer as an event: await wait_for("answer", str)'),
    "breakpoint": refused(
        "FLP605", "set the breakpoint in the debugger; compiled lines are the author's lines"
    ),
    **{
        name: refused("FLP605", "return from the workflow, or raise an exception to fail it")
        for name in ("exit", "quit")
    },
    "help": refused("FLP605", "remove the call"),
    "open": refused("FLP213", "move the reading or writing into a function of its own: it becomes a leaf"),
    "id": refused("FLP209", "use a key of your own; an address is another one after a resume"),
    "hash": refused("FLP209", "use hashlib, or the value itself as the key"),
    **{
        name: refused("FLP600", "collect the items in an async function of their own: it becomes a leaf")
        for name in ("aiter", "anext")
    },
}

_EXCEPTIONS = [
    name
    for name, value in vars(builtins).items()
    if isinstance(value, type) and issubclass(value, BaseException)
]

BUILTIN_TABLE: dict[str, Known] = {
    f"builtins.{name}": known
    for name, known in {
        **dict.fromkeys(words(_PURE), PURE),
        **dict.fromkeys(_EXCEPTIONS, PURE),
        **_REFUSED,
        "next": pure(0),
        "setattr": pure(0),
        "delattr": pure(0),
        "print": OUTPUT,
    }.items()
}

NEVER_CALLING = frozenset(
    words(
        "isinstance issubclass type callable getattr hasattr setattr delattr repr ascii str format id hash "
        "len list tuple set frozenset dict bool object print super slice vars dir",
        "builtins.",
    )
)
"""Builtins that do not call a function passed to them as a value."""

HELPER_PURE = frozenset({"builtins.hash"})
"""Refused in a workflow's own body, but harmless inside a helper: the hash seed of a run is fixed."""
