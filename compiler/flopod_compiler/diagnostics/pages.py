"""The page of each rule, and the index of all pages, as Markdown.

`python -m flopod_compiler.diagnostics.pages docs/diagnostics` writes them; `flopod explain` prints one.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from flopod_compiler.diagnostics.catalogue import CATALOGUE, is_suppressible
from flopod_compiler.diagnostics.rule import Example, Rule

GROUPS = {
    "0": "Projects, files and pragmas",
    "1": "Calls",
    "2": "What differs from one execution to the next",
    "3": "Errors, tasks and resources",
    "4": "State and values",
    "5": "Ids",
    "6": "What a workflow cannot say",
    "7": "Bundles",
    "9": "Faults of the compiler",
}
"""The titles of the groups by the first digit of their codes."""

_FENCES = {".py": "python", ".toml": "toml"}
_INDEX = """# Diagnostics

What `flopod check` reports, by code. `flopod explain FLPnnn` prints the page of one. These pages are
generated from the rules (`make docs`), and each example is a test.

An error stops the build. A warning does not; it names code that is translated faithfully and still unlikely
to do what was meant. `# flopod: ignore[FLPnnn] reason` at the end of the line silences a warning, and those
errors whose page says so. The reason must be there; a suppression that suppresses nothing is reported itself.
"""


def page(code: str) -> str:
    """The page of one code; `KeyError` when there is none."""
    rule = CATALOGUE[code.upper()]
    return "\n\n".join(_sections(rule)) + "\n"


def as_data(code: str) -> dict[str, Any]:
    """What the page of one code says, as JSON data; `KeyError` when there is none."""
    rule = CATALOGUE[code.upper()]
    return {
        "code": rule.code,
        "title": rule.title,
        "severity": rule.severity,
        "why": rule.why,
        "instead": instead(rule),
        "examples": {"reported": _as_files(rule.invalid), "accepted": _as_files(rule.valid)},
        "suppressible": is_suppressible(rule.code, rule.severity),
        "text": page(code),
    }


def _as_files(examples: Iterable[Example]) -> list[dict[str, str]]:
    """Each example as the texts of its files by path."""
    return [
        {"main.py": one}
        if isinstance(one, str)
        else {path: _as_text(content) for path, content in one.items()}
        for one in examples
    ]


def index() -> str:
    """The page that lists all codes."""
    parts = [_INDEX]
    for digit, title in GROUPS.items():
        rules = [rule for code, rule in CATALOGUE.items() if code[3] == digit]
        rows = [f"| [{rule.code}]({rule.code}.md) | {rule.severity} | {rule.title} |" for rule in rules]
        parts.append("\n".join([f"## {title}", "", "| code | severity | what |", "|---|---|---|", *rows, ""]))
    return "\n".join(parts)


def instead(rule: type[Rule]) -> list[str]:
    """The ways out of a finding, as sentences without its particulars."""
    prose = _without_fields(rule.help)
    general = [prose] if re.search("[a-z]{3}", prose) else []
    return [*general, *rule.ways]


def write_pages(folder: Path) -> None:
    """Write all pages into a folder, and remove those of codes that are gone."""
    folder.mkdir(parents=True, exist_ok=True)
    texts = {f"{code}.md": page(code) for code in CATALOGUE} | {"README.md": index()}
    for stale in {path.name for path in folder.glob("*.md")}.difference(texts):
        (folder / stale).unlink()
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")


def _sections(rule: type[Rule]) -> Iterator[str]:
    yield f"# {rule.code}: {rule.title}"
    yield f"{rule.severity.capitalize()}: {_without_fields(rule.message)}."
    yield rule.why
    ways = "\n".join(f"- {_sentence(way)}" for way in instead(rule))
    if ways:
        yield f"## What to write instead\n\n{ways}"
    for word, examples in (("Reported", rule.invalid), ("Accepted", rule.valid)):
        if examples:
            yield f"## {word}\n\n" + "\n\n".join(_shown(example) for example in examples)
    yield f"## Suppression\n\n{_suppression(rule)}"


def _suppression(rule: type[Rule]) -> str:
    if is_suppressible(rule.code, rule.severity):
        return f"`# flopod: ignore[{rule.code}] reason` at the end of the line, with why it is right there."
    return "It cannot be suppressed: what was compiled in spite of it would not do what the source says."


def _sentence(text: str) -> str:
    text = text.rstrip(".")
    return text if text.endswith(("`", ")", "]")) else f"{text}."


def _without_fields(template: str) -> str:
    """A template as prose: fields become dots."""
    return (
        re.sub(r"\{\w+(?:!r)?\}", "...", template)
        .replace("{{", "{")
        .replace("}}", "}")
        .replace("......", "...")
    )


def _shown(example: Example) -> str:
    if isinstance(example, str):
        return _fenced("main.py", example)
    parts = []
    for path, content in example.items():
        parts.append(f"`{path}`\n\n{_fenced(path, _as_text(content))}")
    return "\n\n".join(parts)


def _as_text(content: str | bytes) -> str:
    return content if isinstance(content, str) else ascii(content)[2:-1].replace("\\n", "\n")


def _fenced(path: str, text: str) -> str:
    fence = "~~~" if "```" in text else "```"
    return f"{fence}{_FENCES.get(Path(path).suffix, 'text')}\n{text.strip()}\n{fence}"


if __name__ == "__main__":
    write_pages(Path(sys.argv[1]))
