"""The programs for fields of statements, patterns, handlers and parameters: fields -> a workflow's body."""

from __future__ import annotations

STATEMENTS: dict[str, str] = {
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
