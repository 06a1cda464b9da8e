"""Writes docs/language.md from the cases: what compiles and into what, and what is refused.

`python -m tests.golden.language` writes the page; a test says when it is out of date.
"""

from __future__ import annotations

import ast
from pathlib import Path

from tests.forms import FORMS, Form
from tests.harness.cases import Case, case_names, load_case

PAGE = Path(__file__).parents[2] / "docs" / "language.md"

GROUPS = {
    "sequence": "Sequential code",
    "expressions": "Expressions",
    "assignments": "Assignments",
    "branches": "Branches",
    "loops": "Loops",
    "state": "State that loops carry",
    "comprehensions": "Comprehensions",
    "errors": "Errors",
    "with": "Context managers",
    "functions": "Functions and workflows",
    "concurrency": "Side by side",
    "time": "Time and events",
    "leaves": "Leaves",
    "values": "Values",
    "output": "Output",
    "imports": "Imports and modules",
    "ids": "Ids",
    "text": "Source text",
}

HEAD = """# What compiles, and what is refused

This page is generated from the cases in `fixtures/` by `python -m tests.golden.language`. Each case is
compiled, run as plain Python and compiled, compared, and resumed from every prefix of its log by the tests.
The emitted code is shown for some of them; the rest is in `expected/` of the case.
"""

TABLE = """## The forms of Python

| # | form | state | what becomes of it | cases |
|---|---|---|---|---|"""

REFUSED = """## What is refused

A construct that cannot be translated faithfully is an error, never a guess. These are the diagnostics,
as `flopod check` prints them.
"""


def page() -> str:
    """The whole page."""
    parts = [HEAD, _forms()]
    cases = [load_case(name) for name in case_names("run", everywhere=True)]
    for group, title in GROUPS.items():
        parts.append(_group(title, [case for case in cases if case.group == group]))
    parts.append(REFUSED)
    parts += [_refused(load_case(name)) for name in case_names("refused", everywhere=True)]
    return "\n".join(parts)


def _forms() -> str:
    """The table of all forms, in its order, with links to what proves each row."""
    rows = [_row(number, form) for number, form in FORMS.items()]
    return "\n".join([TABLE, *rows, ""])


def _row(number: int, form: Form) -> str:
    links = [f"[{name}](../fixtures/{name}/input)" for name in f"{form.cases} {form.refused}".split()]
    return f"| {number} | {form.title} | {form.state} | {form.becomes} | {', '.join(links)} |"


def _group(title: str, cases: list[Case]) -> str:
    lines = [f"## {title}", ""]
    for case in cases:
        lines.append(f"- {case.title} ([{case.name}](../fixtures/{case.name}/input))")
    lines.append("")
    for case in cases:
        if case.show:
            lines += _shown(case)
    return "\n".join(lines)


def _shown(case: Case) -> list[str]:
    lines = [f"### {case.title}", ""]
    for golden in sorted(case.expected.glob("*.py")):
        emitted = golden.read_text("utf-8")
        source = (case.source / (golden.stem.replace(".", "/") + ".py")).read_text("utf-8")
        names = _lowered(ast.parse(emitted))
        lines += ["```python", "\n\n\n".join(_function(source, name) for name in names), "```", ""]
        lines += ["```python", "\n\n\n".join(_function(emitted, name) for name in names), "```", ""]
    return lines


def _lowered(tree: ast.Module) -> list[str]:
    functions = [node for node in tree.body if isinstance(node, ast.AsyncFunctionDef)]
    return [node.name for node in functions if [one.arg for one in node.args.args[:1]] == ["wf"]]


def _function(text: str, name: str) -> str:
    lines = text.splitlines()
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name:
            first = min([node.lineno, *(one.lineno for one in node.decorator_list)])
            return "\n".join(lines[first - 1 : node.end_lineno])
    raise LookupError(f"no function {name}")


def _refused(case: Case) -> str:
    text = (case.expected / "diagnostics.txt").read_text("utf-8").rstrip("\n")
    return "\n".join([f"### {case.title}", "", "```text", text, "```", ""])


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
