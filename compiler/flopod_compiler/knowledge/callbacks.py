"""Which arguments of functions outside the project are functions that they call."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flopod_compiler.knowledge.known import words

_FIRST = frozenset(
    words("map filter", "builtins.")
    + words("starmap takewhile dropwhile filterfalse", "itertools.")
    + words("reduce partial cmp_to_key partialmethod", "functools.")
    + words("collections.defaultdict")
)
_SECOND = frozenset(words("itertools.accumulate itertools.groupby re.sub re.subn re.Pattern.sub"))
_KEYWORDS = frozenset(words("key func function default_factory object_hook object_pairs_hook repl"))
_DEFAULT = frozenset(words("json.dump json.dumps"))


def called_arguments(callee: str, call: ast.Call) -> Iterator[ast.expr]:
    """The argument expressions that a function outside the project calls."""
    if callee in _FIRST or (callee == "builtins.iter" and len(call.args) == 2):
        yield from call.args[:1]
    if callee in _SECOND:
        yield from call.args[1:2]
    for keyword in call.keywords:
        if keyword.arg in _KEYWORDS or (keyword.arg == "default" and callee in _DEFAULT):
            yield keyword.value
