"""From a page of Markdown to its fenced blocks, each with the comment that says how it is tested."""

import re
from dataclasses import dataclass
from pathlib import Path

_BLOCK = re.compile(
    r"^(?:<!-- (?P<mark>[a-z ]+)(?:: (?P<argument>[^\n]*))? -->\n)?"
    r"^```(?P<language>\w+)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
_LINK = re.compile(r"(?:\[[^\]]*\]\(|<img src=\"|srcset=\")(?!https?:)(?P<target>[^)#\"]+)")
_VARIABLES = (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", r"(?<=build )[0-9a-f]{12}", r"(?<=build     )[0-9a-f]{12}")
_OPEN = re.compile("|".join([rf"(?P<any>{re.escape('...')})", *(f"({each})" for each in _VARIABLES)]))
_ANYTHING = "..."


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its text, the mark before it and what follows the mark's colon."""

    page: str
    line: int
    language: str
    text: str
    mark: str
    argument: str

    @property
    def place(self) -> str:
        """Where it is, for a message."""
        return f"{self.page}:{self.line}"


def blocks(page: Path, root: Path) -> list[Block]:
    """All fenced blocks of a page, in order."""
    text = page.read_text("utf-8")
    return [
        Block(
            page=page.relative_to(root).as_posix(),
            line=text.count("\n", 0, found.start("text")),
            language=found["language"],
            text=found["text"],
            mark=found["mark"] or "",
            argument=found["argument"] or "",
        )
        for found in _BLOCK.finditer(text)
    ]


def links(page: Path) -> list[str]:
    """The targets of a page's links to files, pictures included."""
    return _LINK.findall(page.read_text("utf-8"))


_SHELL_TALK = re.compile(r"\S*sh: line \d+: +\d+ (Killed|Terminated)")
"""What a shell may or may not say of a job in the background that was killed."""


def agrees(expected: str, actual: str) -> bool:
    """Whether an output is the expected one.

    `...` stands for anything, over lines where it is a line of its own; times and build ids may differ.
    """
    return re.fullmatch(_pattern(expected), "\n".join(_lines(actual)) + "\n") is not None


def _pattern(expected: str) -> str:
    return "".join(_line_pattern(line) for line in _lines(expected))


def _line_pattern(line: str) -> str:
    if line == _ANYTHING:
        return r"(?:.*\n)*?"
    pattern, end = "", 0
    for found in _OPEN.finditer(line):
        pattern += re.escape(line[end : found.start()]) + _stands_for(found)
        end = found.end()
    return pattern + re.escape(line[end:]) + r"\n"


def _stands_for(found: re.Match[str]) -> str:
    return ".*?" if found["any"] else _VARIABLES[(found.lastindex or 0) - 2]


def _lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.splitlines() if not _SHELL_TALK.match(line)]
