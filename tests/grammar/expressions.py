"""The programs for fields of expressions, comprehensions and operators: fields -> a workflow's body."""

from __future__ import annotations

_BINARY = {
    "Add": "+", "Sub": "-", "Mult": "*", "Div": "/", "FloorDiv": "//", "Mod": "%", "Pow": "**",
    "LShift": "<<", "RShift": ">>", "BitOr": "|", "BitXor": "^", "BitAnd": "&",
}  # fmt: skip
_COMPARED = {"Eq": "==", "NotEq": "!=", "Lt": "<", "LtE": "<=", "Gt": ">", "GtE": ">="}
_UNARY = {"Invert": "~", "Not": "not ", "UAdd": "+", "USub": "-"}

EXPRESSIONS: dict[str, str] = {
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
