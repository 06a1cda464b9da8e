"""The table of the grammar: for each field of each `ast` node class, a program that has it in a workflow.

A key of `KEPT` names fields whose value must come out of the compiler as it went in; `SINCE` holds those of
newer syntax. `REFUSED` holds what a workflow may not have; `IRRELEVANT` what cannot change what code does.
"""

from __future__ import annotations

import sys

from tests.grammar.expressions import EXPRESSIONS
from tests.grammar.statements import STATEMENTS

HEAD = '''"""A program for some fields of the grammar."""

import asyncio
import contextlib
import dataclasses
import functools
import time

from flopod import workflow

LIMIT = 7


class Oops(Exception):
    """What a leaf raises on negative numbers."""


class Base:
    def __init_subclass__(cls, kind=""):
        cls.kind = kind


@dataclasses.dataclass
class Point:
    x: int
    y: int = 0

    def __matmul__(self, other):
        return self.x * other.x + self.y * other.y


async def num(a, b=0):
    await asyncio.sleep(0)
    if a < 0:
        raise Oops(a, b)
    return a * 2 + b


def note(value):
    time.sleep(0)
    return value


async def count(limit):
    for number in range(limit):
        yield number


async def plain(value):
    return value
'''

KEPT: dict[str, str] = STATEMENTS | EXPRESSIONS

SINCE: dict[tuple[int, int], dict[str, str]] = {
    (3, 12): {
        "FunctionDef.type_params TypeVar.name TypeVar.bound ParamSpec.name TypeVarTuple.name": """
            def inner[T: int, **P, *Ts](x: T) -> T:
                return x
            return [inner(await num(n)), [one.__name__ for one in inner.__type_params__]]
        """,
        "AsyncFunctionDef.type_params": """
            async def helper[T, U](x: T) -> T:
                return await num(x)
            return await helper(n)
        """,
        "ClassDef.type_params": """
            class Box[T, U]:
                pass
            return [await num(n), len(Box.__type_params__)]
        """,
        "TypeAlias.name TypeAlias.type_params TypeAlias.value": """
            type Pair[T, U] = tuple[T, U]
            return [await num(n), str(Pair)]
        """,
    },
    (3, 13): {
        "TypeVar.default_value ParamSpec.default_value TypeVarTuple.default_value": """
            def inner[T = int, **P = [int], *Ts = *tuple[int, ...]](x):
                return x
            return inner(await num(n))
        """,
    },
    (3, 14): {
        "TemplateStr.values Interpolation.value Interpolation.conversion Interpolation.format_spec": """
            made = t"<{await num(n)!r:>4}>"
            return [made.strings, made.values, made.interpolations[0].conversion]
        """,
    },
}

REFUSED: dict[str, tuple[str, str]] = {
    "AsyncFunctionDef.decorator_list": (
        "FLP104",
        "@functools.wraps(plain)\nasync def helper(x):\n    return await num(x)\nreturn await helper(n)",
    ),
}

IRRELEVANT: dict[str, str] = {
    **dict.fromkeys(
        ["Attribute.ctx", "Subscript.ctx", "Starred.ctx", "Name.ctx", "List.ctx", "Tuple.ctx"],
        "the place of the expression decides it; any other does not compile",
    ),
    **dict.fromkeys(
        [
            *("FunctionDef.type_comment", "AsyncFunctionDef.type_comment", "Assign.type_comment"),
            *("For.type_comment", "AsyncFor.type_comment", "With.type_comment", "AsyncWith.type_comment"),
            "arg.type_comment",
        ],
        "a comment, which the parser leaves out",
    ),
    "Constant.kind": "the `u` before a string says nothing",
    "AnnAssign.annotation": "the annotation of a local variable is never evaluated",
    "AnnAssign.simple": "the parentheses around the name of a local variable say nothing",
    "Interpolation.str": "the text of the expression, made from it by the parser",
}

ABSENT: dict[str, str] = {
    "Module.body": "what is outside of workflows is copied byte for byte",
    **dict.fromkeys(
        [
            *("Module.type_ignores", "TypeIgnore.lineno", "TypeIgnore.tag", "Interactive.body"),
            *("Expression.body", "FunctionType.argtypes", "FunctionType.returns"),
        ],
        "no file is parsed into it",
    ),
}


def kept() -> dict[str, str]:
    """The programs of fields that are kept, those of this interpreter's syntax."""
    found = dict(KEPT)
    for version, programs in SINCE.items():
        if sys.version_info >= version:
            found |= programs
    return found


INSIDE: dict[str, str] = {
    "AsyncFor.iter": "FLP603",
    "ClassDef.body": "FLP105",
    "FunctionDef.body": "FLP104",
    "GeneratorExp.elt": "FLP604",
    "Lambda.body": "FLP105",
    "Yield.value": "FLP602",
    "YieldFrom.value": "FLP602",
    "withitem.context_expr": "FLP303",
}
"""Where a durable call inside a field is refused; in every other field it compiles."""
