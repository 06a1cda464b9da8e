"""The table of the grammar: for each field of each `ast` node class, a program that has it in a workflow.

A key of `KEPT` names fields whose value must come out of the compiler as it went in; `SINCE` holds those of
newer syntax. `REFUSED` holds what a workflow may not have; `IRRELEVANT` what cannot change what code does.
"""

from __future__ import annotations

import sys

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

_BINARY = {
    "Add": "+", "Sub": "-", "Mult": "*", "Div": "/", "FloorDiv": "//", "Mod": "%", "Pow": "**",
    "LShift": "<<", "RShift": ">>", "BitOr": "|", "BitXor": "^", "BitAnd": "&",
}  # fmt: skip
_COMPARED = {"Eq": "==", "NotEq": "!=", "Lt": "<", "LtE": "<=", "Gt": ">", "GtE": ">="}
_UNARY = {"Invert": "~", "Not": "not ", "UAdd": "+", "USub": "-"}

_STATEMENTS = {
    "FunctionDef.name FunctionDef.args FunctionDef.body FunctionDef.decorator_list FunctionDef.returns "
    "arguments.posonlyargs arguments.args arguments.vararg arguments.kwonlyargs arguments.kw_defaults "
    "arguments.kwarg arguments.defaults arg.arg arg.annotation": """
        @functools.lru_cache
        def inner(a: int, /, b=2, *more: int, c, d=4, **rest) -> int:
            return (a, b, more, c, d, sorted(rest.items()))
        return [inner(await num(n), c=3), inner(1, 2, 3, c=1, e=await num(5))]
    """,
    "AsyncFunctionDef.name AsyncFunctionDef.args AsyncFunctionDef.body AsyncFunctionDef.returns": """
        async def helper(a, /, b=2, *more, c, d=4, **rest) -> int:
            return [await num(a), await num(b, c), more, d, sorted(rest.items())]
        async def beside(a):
            return a
        return [await helper(n, c=3), await helper(1, 2, 3, c=1, e=5), await beside(n)]
    """,
    "ClassDef.name ClassDef.bases ClassDef.keywords ClassDef.body ClassDef.decorator_list": """
        @dataclasses.dataclass
        class Local(Base, kind="k"):
            x: int
            def double(self):
                return self.x * 2
        made = Local(await num(n))
        return [made.x, Local.kind, Local.__name__, made.double()]
    """,
    "Return.value": "return await num(n)",
    "Delete.targets": """
        a, row = n, [1, 2, 3]
        await num(n)
        del a, row[0]
        try:
            return a
        except UnboundLocalError as error:
            return [str(error), row]
    """,
    "Assign.targets Assign.value": "a = b = await num(n)\nreturn [a, b]",
    "AugAssign.target AugAssign.op AugAssign.value": """
        a, row = 1, [1]
        for i in range(n):
            a += await num(i)
            row[0] -= await num(i)
        return [a, row]
    """,
    "AnnAssign.target AnnAssign.value": """
        a: int
        b: int = await num(n)
        try:
            return [a, b]
        except UnboundLocalError as error:
            return [str(error), b]
    """,
    "For.target For.iter For.body For.orelse": """
        seen = []
        for i in range(n):
            seen.append(await num(i))
        else:
            seen.append(await num(9))
        return [seen, i]
    """,
    "AsyncFor.target AsyncFor.iter AsyncFor.body AsyncFor.orelse": """
        seen = []
        async for i in count(n):
            seen.append(await num(i))
        else:
            seen.append(await num(9))
        return [seen, i]
    """,
    "While.test While.body While.orelse": """
        seen = []
        while len(seen) < n:
            seen.append(await num(len(seen)))
        else:
            seen.append(await num(9))
        return seen
    """,
    "If.test If.body If.orelse": """
        if n > 2:
            a = await num(1)
        elif n > 1:
            a = await num(2)
        else:
            a = await num(3)
        return a
    """,
    "With.items With.body withitem.context_expr withitem.optional_vars": """
        with contextlib.suppress(Oops), contextlib.nullcontext(n) as a:
            b = await num(a)
            await num(-1)
        return [a, b]
    """,
    "AsyncWith.items AsyncWith.body": """
        async with contextlib.nullcontext(n) as a, contextlib.nullcontext(4) as b:
            return await num(a, b)
    """,
    "Match.subject Match.cases match_case.pattern match_case.guard match_case.body": """
        match n, 1:
            case (3, a) if a == await num(9):
                return await num(1)
            case (b, 1) if b:
                return await num(b)
    """,
    "MatchValue.value MatchSingleton.value MatchOr.patterns": """
        match await num(n):
            case True | None:
                return await num(1)
            case 6 | -7:
                return await num(2)
    """,
    "MatchSequence.patterns MatchStar.name MatchAs.pattern MatchAs.name": """
        match [await num(n), 2, 3]:
            case [1, 2]:
                return await num(1)
            case [a, *rest] as whole:
                return [a, rest, whole, await num(a)]
    """,
    "MatchMapping.keys MatchMapping.patterns MatchMapping.rest": """
        match {"a": await num(n), "b": 2, "c": 3}:
            case {"z": 1}:
                return 0
            case {"a": a, "b": 2, **rest}:
                return [a, rest, await num(a)]
    """,
    "MatchClass.cls MatchClass.patterns MatchClass.kwd_attrs MatchClass.kwd_patterns": """
        match Point(await num(n), 2):
            case Point(1, y=2):
                return 0
            case Point(a, y=2):
                return await num(a)
    """,
    "Raise.exc Raise.cause": """
        try:
            await num(-1)
        except Oops as error:
            raise KeyError(await num(n)) from error
    """,
    "Try.body Try.handlers Try.orelse Try.finalbody "
    "ExceptHandler.type ExceptHandler.name ExceptHandler.body": """
        seen = []
        for i in (1, -1):
            try:
                seen.append(await num(i))
            except (KeyError, Oops) as error:
                seen.append([error.args, await num(5)])
            except ValueError:
                seen.append(await num(6))
            else:
                seen.append(await num(7))
            finally:
                seen.append(await num(8))
        return seen
    """,
    "TryStar.body TryStar.handlers TryStar.orelse TryStar.finalbody": """
        seen = []
        for i in (1, -1):
            try:
                seen.append(await num(i))
            except* Oops as group:
                seen.append([group.exceptions[0].args, await num(5)])
            except* ValueError:
                seen.append(await num(6))
            else:
                seen.append(await num(7))
            finally:
                seen.append(await num(8))
        return seen
    """,
    "Assert.test Assert.msg": """
        try:
            assert n > await num(n), await num(n)
        except AssertionError as error:
            return error.args
    """,
    "Import.names alias.name alias.asname": "import json as j\nreturn j.dumps(await num(n))",
    "ImportFrom.module ImportFrom.names ImportFrom.level": """
        from math import floor, sqrt as root
        return [floor(2.5), root(16), await num(n)]
    """,
    "Nonlocal.names": """
        a, b = 0, 0
        def more():
            nonlocal a, b
            a, b = a + 1, b + 2
        for i in range(n):
            await num(i)
            more()
        return [a, b]
    """,
    "Global.names": "global LIMIT\nawait num(n)\nreturn LIMIT",
    "Expr.value": "await num(n)\nnote(n)\nreturn 1",
    "Pass": "if await num(n):\n    pass\nreturn 1",
    "Break Continue": """
        seen = []
        for i in range(9):
            if await num(i) == 2:
                continue
            if i > n:
                break
            seen.append(i)
        return seen
    """,
}

_EXPRESSIONS = {
    "BoolOp.op BoolOp.values": "return [n and await num(0) and await num(1), await num(0) or await num(2)]",
    "And Or": "return [await num(n) and 0, await num(n) or 0, (0 and n) or await num(1)]",
    "NamedExpr.target NamedExpr.value": "return [(a := await num(n)), a, (b := 4), b]",
    "BinOp.left BinOp.op BinOp.right": "return await num(n) - 2 * await num(1)",
    "MatMult": "return Point(await num(1), 2) @ Point(3, await num(4))",
    "UnaryOp.op UnaryOp.operand": "return [-await num(n), -(await num(n)), not await num(0)]",
    "Lambda.args Lambda.body": """
        row = [await num(n), 3, 1]
        return [sorted(row, key=lambda v, *, by=2: v % by), max(row, key=lambda v: -v), await num(1)]
    """,
    "IfExp.test IfExp.body IfExp.orelse": """
        return [await num(1) if await num(n) else await num(2), await num(3) if n > 9 else await num(4)]
    """,
    "Dict.keys Dict.values": "return {await num(n): await num(1), 'k': 2, **{'m': await num(3)}}",
    "Set.elts": "return sorted({await num(n), 2, *(3, await num(1))})",
    "ListComp.elt ListComp.generators comprehension.target comprehension.iter comprehension.ifs": """
        return [await num(a, b) for a in range(n) if await num(a) for b in (1, 2) if a != b]
    """,
    "SetComp.elt SetComp.generators": "return sorted({await num(a) for a in range(n) if a})",
    "DictComp.key DictComp.value DictComp.generators": """
        return {await num(a): await num(a, 1) for a in range(n)}
    """,
    "GeneratorExp.elt GeneratorExp.generators": "return [sum(a * a for a in range(n) if a), await num(n)]",
    "comprehension.is_async": "return [await num(a) async for a in count(n)]",
    "Await.value": "return [await num(n), await plain(n), await (num(1))]",
    "Yield.value YieldFrom.value": """
        def some(limit):
            yield limit
            yield from range(limit)
        return [await num(a) for a in some(n)]
    """,
    "Compare.left Compare.ops Compare.comparators": """
        return [1 < await num(n) < 9 != await num(1), await num(n) == 1 < await num(2)]
    """,
    "Is IsNot In NotIn": """
        a = await num(n)
        return [a is None, a is not None, a in [6], a not in (6, n)]
    """,
    "Call.func Call.args Call.keywords keyword.arg keyword.value": """
        return [await num(n, b=1), await num(*[n, 2]), await num(n, **{"b": 3}), await num(b=1, a=n)]
    """,
    "FormattedValue.value FormattedValue.conversion FormattedValue.format_spec JoinedStr.values": """
        return f"<{await num(n)!r:>{await num(2)}}|{n!s}|{n:.2f}>"
    """,
    "Constant.value": """
        await num(n)
        return [1, 2.5, 3j, "s", b"b", None, True, ..., "a" "b"] == [n]
    """,
    "Attribute.value Attribute.attr": """
        point = Point(n)
        point.y = await num(n)
        return [point.x, point.y]
    """,
    "Subscript.value Subscript.slice Slice.lower Slice.upper Slice.step": """
        row = [1, 2, 3, 4, 5, 6]
        row[await num(0)] = await num(n)
        return [row[await num(1)], row[1 : await num(2) : 2], row[: await num(1)]]
    """,
    "Starred.value": "return [*[await num(n)], *(1, 2), await num(*[n, 1])]",
    "Name.id": """
        a = n
        for i in range(n):
            a = await num(a, i) % 9
        return a
    """,
    "List.elts Tuple.elts": "[a, (b, *c)] = [await num(n), (2, await num(1), 4)]\nreturn [a, b, c, (a, b)]",
    "Load Store Del": "a = await num(n)\nb = a\ndel a\nreturn b",
} | {
    name: f"return await num(n) {sign} (2 {sign} await num(1))" for name, sign in _BINARY.items()
} | {
    name: f"return await num(n) {sign} await num(1)" for name, sign in _COMPARED.items()
} | {
    name: f"return {sign}(await num(n))" for name, sign in _UNARY.items()
}  # fmt: skip

KEPT: dict[str, str] = _STATEMENTS | _EXPRESSIONS

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
