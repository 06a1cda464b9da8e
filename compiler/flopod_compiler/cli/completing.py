"""What a shell is answered that asks for completions: never a word too much, and no error."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from typing import Any

import click
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    PowerShellComplete,
    ShellComplete,
    ZshComplete,
    split_arg_string,
)

from flopod_compiler.cli.base import completion_variable

_BASH = """\
%(complete_func)s() {
    local kind value
    COMPREPLY=()
    while IFS=, read -r kind value; do
        case $kind in
            dir) compopt -o dirnames ;;
            file) compopt -o default ;;
            plain) printf -v value %%q "$value"; COMPREPLY+=("$value") ;;
        esac
    done < <(env COMP_LINE="${COMP_LINE:0:COMP_POINT}" COMP_BREAKS="$COMP_WORDBREAKS" \\
        %(complete_var)s=bash_complete "$1" 2>/dev/null)
    if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[:/] ]]; then
        compopt -o nospace
    fi
}

complete -o nosort -F %(complete_func)s %(prog_name)s
"""


class Bash(BashComplete):
    """Bash takes `:` and `=` for the ends of words, so that it is given what comes after them.

    The words that it has made of the line are not looked at: `sqlite:PATH` would be three.
    """

    source_template = _BASH
    _cut = ""

    def get_completion_args(self) -> tuple[list[str], str]:
        line = os.environ["COMP_LINE"]
        words = split_arg_string(line)
        incomplete = "" if line[-1:].isspace() else words.pop()
        value = incomplete.partition("=")[2] if incomplete.startswith("-") else incomplete
        breaks = [mark for mark in ":=" if mark in os.environ.get("COMP_BREAKS", ":=")]
        self._cut = value[: max((value.rfind(mark) for mark in breaks), default=-1) + 1]
        return words[1:], incomplete

    def format_completion(self, item: CompletionItem[Any]) -> str:
        return f"{item.type},{str(item.value).removeprefix(self._cut)}"


_CLASSES: dict[str, type[ShellComplete]] = {
    "bash": Bash,
    "zsh": ZshComplete,
    "fish": FishComplete,
    "powershell": PowerShellComplete,
}


def script(command: click.Command, program: str, shell: str) -> str:
    """The script by which `shell` completes the command line of `program`."""
    return _CLASSES[shell](command, {}, program, completion_variable(program)).source()


def complete(command: click.Command, program: str, instruction: str) -> None:
    """Write what a shell asks for with `SHELL_complete` or `SHELL_source`; nothing if that fails."""
    shell, _, what = instruction.partition("_")
    text = ""
    with contextlib.suppress(Exception), contextlib.redirect_stderr(io.StringIO()):
        asked = _CLASSES[shell](command, {}, program, completion_variable(program))
        text = asked.source() if what == "source" else asked.complete()
    with contextlib.suppress(OSError):
        sys.stdout.buffer.write(f"{text}\n".encode() if text else b"")
        sys.stdout.flush()
