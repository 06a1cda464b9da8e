"""The hash seed of this process: a run needs the one in its first event, so that sets iterate alike.

Starts the process again with the seed set; so it is called before anything worth keeping happened.
"""

import os
import sys
from typing import NoReturn

from flopod.engine import signals

DEFAULT_SEED = 0
VARIABLE = "PYTHONHASHSEED"
_ATTEMPT = "FLOPOD_HASH_SEED_ATTEMPT"


def current() -> int | None:
    """The seed this process was started with, None when it is random."""
    original = list(sys.orig_argv)
    if sys.flags.ignore_environment or command_line(original) != original:
        return None
    text = os.environ.get(VARIABLE, "")
    if not (text.isascii() and text.isdigit()):
        return None
    seed = int(text)
    return seed if (seed == 0) == (sys.flags.hash_randomization == 0) else None


def settle() -> None:
    """Give this process the default seed if its own is random."""
    if current() is None:
        require(DEFAULT_SEED)


def require(seed: int) -> bool:
    """Start this process again with `seed`, unless it has it. False when that cannot be done.

    Does not return when the process is replaced. The same attempt is never made twice.
    """
    if current() == seed:
        os.environ.pop(_ATTEMPT, None)
        return True
    arguments = command_line(list(sys.orig_argv))
    if not arguments or not sys.executable or os.environ.get(_ATTEMPT) == str(seed):
        os.environ.pop(_ATTEMPT, None)
        return False
    return _start_again(arguments, seed)


def _start_again(arguments: list[str], seed: int) -> NoReturn:
    environment = dict(os.environ)
    if sys.flags.ignore_environment:
        environment = {key: value for key, value in environment.items() if not key.startswith("PYTHON")}
    environment |= {VARIABLE: str(seed), _ATTEMPT: str(seed)}
    _flush()
    # A handler does not survive the restart, so that a signal during it would kill by its default.
    signals.hold_back()
    try:
        os.execve(sys.executable, arguments, environment)
    finally:
        signals.listen()


def command_line(original: list[str]) -> list[str]:
    """`original` with the switches taken out that would hide the seed: -E, -I and -R.

    What else -I means is kept by -P and -s; the environment is cleaned by `require`.
    """
    if not original:
        return []
    options, index = [original[0]], 1
    while index < len(original) and original[index].startswith("-") and len(original[index]) > 1:
        option = original[index]
        index += 1
        if option.startswith("--"):
            options.append(option)
            continue
        kept, ends = _without_hiding(option[1:])
        options += [f"-{kept}"] if kept else []
        if ends == "last":
            break
        if ends == "value" and index < len(original):
            options.append(original[index])
            index += 1
    return options + original[index:]


def _without_hiding(cluster: str) -> tuple[str, str]:
    """The kept switches of one argument, and whether a value follows or the options end here."""
    kept = ""
    for place, switch in enumerate(cluster):
        if switch in "cm":
            return kept + cluster[place:], "last"
        if switch in "WX":
            return kept + cluster[place:], "value" if place == len(cluster) - 1 else ""
        kept += {"I": "Ps", "E": "", "R": ""}.get(switch, switch)
    return kept, ""


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
