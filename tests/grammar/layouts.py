"""Programs that are laid out as oddly as Python allows, for each libcst node class that lowering touches."""

from __future__ import annotations

LAYOUTS: dict[str, str] = {
    "FunctionDef TrailingWhitespace EmptyLine": """
        # in front

        async   def   helper  (  # the first
            a  ,  b = 2  ,  # the second
        )   ->   int  :  # what it gives

            # inside
            return await num(a, b)   # behind
        def plain  (a)  :  return a + 1
        @functools.lru_cache

        # between
        def cached(a) : return a
        return  [await helper (n), plain (await num(n)), cached(1)]  # the end
    """,
    "For": """
        seen = []; a = 0
        # in front
        for   a,  b   in  [(1, 2),
            (await num(n), 4)]   :  # loop
            seen.append(await num(a)); seen.append(b)
        # before else
        else  :
            seen.append( await   num( 9 ) )
        for(c)in(1, 2):seen.append(await num(c))
        for (d) in(range(2)) : seen.append((await num(d))) ; seen.append(1)
        async   for   e   in   count( 2 )  : seen.append(await num(e))
        return seen
    """,
    "CompFor": """
        return [[(await num(a))for a in(1, 2)if(a)for b in[await num(a)]if b if a],
            [
                await num(a)
                for   a   in   range(n)   # each
                if   a
                for (b)  in  (1,)
            ],
            {await num(a) async   for(a)   in count(2)} == {0}]
    """,
    "While": """
        seen = []
        # in front
        while   len(seen) < 2   :  # loop
            seen.append(await num(1))
        # before else
        else  :
            seen.append(await num(2))
        while(len(seen)<4):seen.append(await num(3))
        while (len(seen) < 9 or
            await num(0)): seen.append(1) ; seen.append(await num(4))
        return seen
    """,
    "If IfExp BooleanOperation": """
        seen = []
        # in front
        if   (n  >  2   # why
            and await num(1))   :
            seen.append(await num(1))
        # before elif
        elif(n):seen.append(await num(2))
        # before else
        else  : seen.append(await num(3))
        if (n)and(await num(0))or(await num(1)):seen.append( ( ( await num(4) ) ) )
        seen.append((((await num(1))if(n)else(await num(2)))))
        seen.append(((n   and
            await num(2))   or   n   if   n   else   await num(3)))
        return seen
    """,
    "Match": """
        match  n  :
          case  3  :
            note(await num(1))
          case  _  : note(2)
        # in front
        match   (await num(n),
            2)   :  # subject

            # before a case
            case   (6  ,  a)   if   a   :
                return [await num(a)]
            case(b):return [await num(b)]
            # behind
    """,
    "Name Attribute Subscript": """
        a = 0 ; row = [1, 2]
        for i in range(n) :
            a = (a) + (await num( (i) ))  ;  row = ((row)) + [(a)]
        point = Point((await num(1)))
        (point) . x = (await num(2))
        ((point).y) = ((row)  [  await num(0) : (a) ])
        return [(row)  [ 0 ], (row[ (1) ]), ((point) . x), (point
            .y), (
            a)]
    """,
    "Assign AnnAssign": """
        a  =  b  =  ( await num(n) )  ;  c=await num(1)  ;  d : int  =  await num(2)  ; e:(int)=(3)
        total  =  0  ;  rows : list[int]  =  []  ;  count_ : int=(0)  ;
        for i in range(n) :
            total  +=  await num(i)  ;  rows . append( total ) ; count_  =  (  count_ + 1  )
        return [a, b, c, d, e, total, rows, count_]
    """,
    "Await Call": """
        return [ await num  (  n  ,  b  =  1  ,  ), await num  (
            # the first
            n,  # and
            1,
        ), await (num(n)), (note ( (n) )), await num(*[n],  **{'b' : 2}  ), note
            (n), ((await (num)(1))), (await(num(1))), await asyncio . gather (  num( 1 )  ,
                num( 2 ),  # last
            ), print  (  n  ,  sep = ''  )]
    """,
    "FormattedString FormattedStringExpression": r"""
        return [f"{  await num(n)  }", (f'{await num(1)!r:>{ await num(2) }}'), f'''{
            await num(3)
        }''' f"a{n = }{await num(4)=}{ await num(5) = !s}" rf"\{n}"]
    """,
}

EXEMPT: dict[str, str] = {
    "EmptyLine.newline": "another line end, which the case `windows_line_ends` shows",
    "TrailingWhitespace.newline": "the same",
    "FunctionDef.type_parameters": "newer syntax, which `SINCE` and the case `type_parameters` show",
    "FunctionDef.whitespace_after_type_parameters": "the same",
}
