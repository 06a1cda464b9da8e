"""Small typed builders of libcst nodes; what they build never needs more parentheses than it has."""

from __future__ import annotations

import libcst as cst

ADDED = "# flopod: added"
_SPACE = cst.SimpleWhitespace(" ")
_NONE = cst.SimpleWhitespace("")
_COMMA = cst.Comma(whitespace_after=_SPACE)
_EQUAL = cst.AssignEqual(whitespace_before=_NONE, whitespace_after=_NONE)


def text(value: str, quote: str = '"') -> cst.SimpleString:
    """A string literal between the given quotes."""
    body = repr(value)[1:-1].replace("\\'", "'").replace('"', '\\"' if quote == '"' else '"')
    if quote == "'":
        body = body.replace("'", "\\'")
    return cst.SimpleString(f"{quote}{body}{quote}")


def method(scope: str, name: str) -> cst.Attribute:
    return cst.Attribute(cst.Name(scope), cst.Name(name))


def argument(value: cst.BaseExpression, keyword: str | None = None) -> cst.Arg:
    """An argument; a bare generator or tuple gets the parentheses it needs beside others."""
    if isinstance(value, cst.GeneratorExp | cst.Tuple | cst.Yield) and not value.lpar:
        value = parenthesised(value)
    if keyword is None:
        return cst.Arg(value)
    return cst.Arg(value, keyword=cst.Name(keyword), equal=_EQUAL)


def call(
    function: cst.BaseExpression,
    head: list[cst.Arg],
    tail: list[cst.Arg] | tuple[cst.Arg, ...] = (),
    before: cst.BaseParenthesizableWhitespace | None = None,
) -> cst.Call:
    """A call of `head` and then the author's own arguments, whose layout (`before` them) is kept."""
    arguments = list(head)
    if tail:
        joint = before if isinstance(before, cst.ParenthesizedWhitespace) else _SPACE
        arguments[-1] = arguments[-1].with_changes(comma=cst.Comma(whitespace_after=joint))
        first = tail[0]
        if isinstance(first.value, cst.GeneratorExp) and not first.value.lpar:
            tail = [first.with_changes(value=parenthesised(first.value)), *tail[1:]]
    elif isinstance(before, cst.ParenthesizedWhitespace):
        arguments[-1] = arguments[-1].with_changes(whitespace_after_arg=before)
    for position in range(len(head) - 1):
        arguments[position] = arguments[position].with_changes(comma=_COMMA)
    return cst.Call(function, [*arguments, *tail])


def parenthesised(node: cst.BaseExpression) -> cst.BaseExpression:
    return node.with_changes(lpar=[cst.LeftParen(), *node.lpar], rpar=[*node.rpar, cst.RightParen()])


def bare(node: cst.BaseExpression) -> cst.BaseExpression:
    """The node without its own parentheses, unless its meaning needs them."""
    if isinstance(node, cst.GeneratorExp | cst.Tuple | cst.Yield | cst.NamedExpr):
        return node
    return node.with_changes(lpar=[], rpar=[])


def within(outer: cst.BaseExpression, original: cst.BaseExpression) -> cst.BaseExpression:
    """Give `outer`, which now holds `original`, the parentheses that `original` had."""
    if bare(original) is original:
        return outer
    return outer.with_changes(lpar=original.lpar, rpar=original.rpar)


def awaited(node: cst.BaseExpression) -> cst.Await:
    inner = node.with_changes(lpar=[], rpar=[])
    return cst.Await(inner, lpar=node.lpar, rpar=node.rpar)


def primary(node: cst.BaseExpression) -> cst.BaseExpression:
    """An expression that `.name`, `[...]` or `(...)` may follow."""
    return parenthesised(node) if isinstance(node, cst.Await) and not node.lpar else node


def added_line(
    statement: cst.BaseSmallStatement, leading: list[cst.EmptyLine] | None = None
) -> cst.SimpleStatementLine:
    """A statement on a line that the author did not write, marked until the line map is made."""
    mark = cst.TrailingWhitespace(whitespace=_SPACE, comment=cst.Comment(ADDED))
    return cst.SimpleStatementLine([statement], leading_lines=leading or [], trailing_whitespace=mark)


def pair(first: str, second: str) -> cst.Tuple:
    """Two names side by side, as the target of a loop."""
    return cst.Tuple([cst.Element(cst.Name(first), _COMMA), cst.Element(cst.Name(second))], lpar=[], rpar=[])


def keep(names: tuple[str, ...] | None) -> cst.Arg:
    """The `keep=` of a loop's header."""
    if names is None:
        return argument(cst.Name("None"), "keep")
    elements = [cst.Element(cst.Name(name)) for name in names]
    if len(elements) == 1:
        elements[0] = elements[0].with_changes(comma=cst.Comma())
    return argument(cst.Tuple(elements), "keep")


def assign(name: str, value: cst.BaseExpression) -> cst.Assign:
    return cst.Assign([cst.AssignTarget(cst.Name(name))], value)


def prepend(body: cst.BaseSuite, statements: list[cst.BaseSmallStatement]) -> cst.BaseSuite:
    """Put statements at the start of a block, behind its docstring and its `nonlocal` and `global`;
    a one-line suite stays one line.
    """
    if not statements:
        return body
    if isinstance(body, cst.SimpleStatementSuite):
        joined = [one.with_changes(semicolon=cst.Semicolon(whitespace_after=_SPACE)) for one in statements]
        return body.with_changes(body=[*joined, *body.body])
    assert isinstance(body, cst.IndentedBlock)
    head = 1 if body.body and _is_docstring(body.body[0]) else 0
    while head < len(body.body) and _is_declaration(body.body[head]):
        head += 1
    lines = [added_line(one) for one in statements]
    return body.with_changes(body=[*body.body[:head], *lines, *body.body[head:]])


def _is_declaration(statement: cst.CSTNode) -> bool:
    return isinstance(statement, cst.SimpleStatementLine) and all(
        isinstance(one, cst.Nonlocal | cst.Global) for one in statement.body
    )


def _is_docstring(statement: cst.CSTNode) -> bool:
    if not isinstance(statement, cst.SimpleStatementLine) or len(statement.body) != 1:
        return False
    expression = statement.body[0]
    return isinstance(expression, cst.Expr) and isinstance(
        expression.value, cst.SimpleString | cst.ConcatenatedString
    )
