"""Pragmas that name something where nothing takes the name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from flopod_compiler.diagnostics import Diagnostic, Span
from flopod_compiler.diagnostics.rules.discovery import PragmaIdle
from flopod_compiler.model import SourceModule
from flopod_compiler.plan.model import Plan
from flopod_compiler.pragmas import placed, pragmas

_REWRITES = {
    "id": "move it to the line of a durable call, or to the header of a loop or an `if` that holds one",
    "key": "move it to the header of a `for`, or to the line of a comprehension, that holds a durable call",
}
_JOIN = "say both in one comment"


def idle_pragmas(module: SourceModule, plans: Iterable[Plan] = ()) -> Iterator[Diagnostic]:
    """The findings about ids and keys of a module that no call and no loop of its workflows has taken."""
    if "flopod:" not in module.text:
        return
    taken = {one for plan in plans for one in plan.taken}
    lines = pragmas(module)
    for line, pragma in placed(module):
        is_second = lines.get(line, pragma).span != pragma.span
        for item, text in (("id", pragma.id), ("key", pragma.key)):
            if text is not None and (is_second or (pragma.span, item) not in taken):
                why, rewrite = _why(pragma.span, line, is_second), _JOIN if is_second else _REWRITES[item]
                where = pragma.span
                yield PragmaIdle.on(module.relpath, where, text=f"{item}={text}", why=why, rewrite=rewrite)


def _why(where: Span, line: int, is_second: bool) -> str:
    if is_second:
        return f"line {line} has another pragma, and one line takes one"
    if not line:
        return "no code follows it"
    return "nothing there takes it" if line == where.line else f"nothing in line {line} takes it"
