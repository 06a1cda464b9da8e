"""What a workflow may not call, by module or function, each with the way out."""

from __future__ import annotations

from flopod_compiler.knowledge.known import IDIOM, OUTPUT, Known, refused, words

_EXIT = refused("FLP605", "return from the workflow, or raise an exception to fail it")
_PROCESS = refused("FLP605", "move it into a function of its own: it becomes a leaf")
_FRAMES = refused("FLP605", "pass what you need as an argument; a compiled function has another frame")
_WEAK = refused("FLP209", "keep the object itself; a resume builds new objects")
_THREADS = refused(
    "FLP309", "call the function directly: a leaf may block, and asyncio.gather runs several at a time"
)
_LOCK = refused("FLP309", "use an asyncio.Lock: `lock = asyncio.Lock()`, then `async with lock:`")
_LOCAL = refused("FLP309", "keep the value in a local variable")
_WRITE = refused("FLP211", 'print the text instead: print(text, end="", file=sys.stderr)')
_SEEDED = refused("FLP201", "use a generator of your own with a seed: random.Random(7)")
_NUMPY = refused("FLP201", "draw in a leaf, or use a generator of your own with a seed: random.Random(7)")

_FUNCTIONS = {
    "sys.exit": _EXIT,
    "os._exit": _EXIT,
    "os.abort": _EXIT,
    "os.fork": _PROCESS,
    "os.forkpty": _PROCESS,
    "os.kill": _PROCESS,
    **dict.fromkeys(words("execl execle execlp execv execve execvp execvpe", "os."), _PROCESS),
    **dict.fromkeys(words("stdout.write stderr.write stdout.flush stderr.flush", "sys."), _WRITE),
    **dict.fromkeys(words("print_exc print_exception print_stack print_tb", "traceback."), _WRITE),
    "pprint.pprint": refused("FLP211", "print the text instead: print(pprint.pformat(value))"),
    "pprint.pp": refused("FLP211", "print the text instead: print(pprint.pformat(value))"),
    **dict.fromkeys(words("_getframe settrace setprofile _current_frames", "sys."), _FRAMES),
    **dict.fromkeys(words("currentframe stack trace getouterframes", "inspect."), _FRAMES),
    "importlib.import_module": refused("FLP605", "import the module at the top of the file"),
    "importlib.reload": refused("FLP605", "remove the call"),
    "random.seed": _SEEDED,
    "random.setstate": _SEEDED,
    "random.getstate": _SEEDED,
    **dict.fromkeys(("random.SystemRandom", "secrets.SystemRandom"), _SEEDED),
    **dict.fromkeys(words("default_rng RandomState Generator seed", "numpy.random."), _NUMPY),
    **dict.fromkeys(words("Lock RLock", "threading."), _LOCK),
    **{
        f"threading.{name}": refused("FLP309", f"use asyncio.{name}, whose waiting is awaited")
        for name in ("Condition", "Semaphore", "BoundedSemaphore", "Event", "Barrier")
    },
    "threading.local": _LOCAL,
    "contextlib.redirect_stdout": refused("FLP600", "build the text in a list, or print in a leaf"),
    "contextlib.redirect_stderr": refused("FLP600", "build the text in a list, or print in a leaf"),
    "contextlib.chdir": refused("FLP600", "pass absolute paths to the leaves"),
    "time.sleep": IDIOM,
    "warnings.warn": OUTPUT,
    **dict.fromkeys(words("debug info warning warn error exception critical fatal log", "logging."), OUTPUT),
}

_MODULES = {
    "threading": _THREADS,
    "_thread": _THREADS,
    "concurrent.futures": _THREADS,
    "multiprocessing": _THREADS,
    "signal": refused("FLP605", "the runtime handles signals; a run is resumable after any of them"),
    "weakref": _WEAK,
    "asyncio": refused("FLP600", "move it into a function of its own: it becomes a leaf"),
}

REFUSED_TYPES: dict[str, Known] = {
    "contextvars.ContextVar": refused(
        "FLP600", "keep the value in a variable of the workflow, and pass it as an argument"
    ),
}
"""Types whose methods a workflow may not call: a resume does not bring back what they keep."""

REFUSED_TABLE: dict[str, Known] = _FUNCTIONS


def refused_module(qualified: str) -> Known | None:
    """What is known of everything in the module that holds a qualified name."""
    module = qualified.rpartition(".")[0]
    while module:
        if module in _MODULES:
            return _MODULES[module]
        module = module.rpartition(".")[0]
    return None


def unseeded(qualified: str, arguments: int) -> Known | None:
    """The refusal of a random generator that is made without a seed."""
    return _SEEDED if qualified == "random.Random" and arguments == 0 else None


LOGGER_METHODS = frozenset(words("debug info warning warn error exception critical fatal log"))
LOGGER_QUERIES = frozenset(words("isEnabledFor getEffectiveLevel getChild hasHandlers setLevel addHandler"))

__all__ = [
    "LOGGER_METHODS",
    "LOGGER_QUERIES",
    "REFUSED_TABLE",
    "REFUSED_TYPES",
    "refused_module",
    "unseeded",
]
