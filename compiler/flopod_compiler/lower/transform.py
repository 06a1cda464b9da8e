"""The transformer: rewrites the workflow functions of one piece of source by the edits at each place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import libcst as cst
from libcst.metadata import CodeRange

from flopod_compiler.analyse.state import Declared
from flopod_compiler.ids import Site
from flopod_compiler.lower import nodes
from flopod_compiler.lower.calls import lower_call
from flopod_compiler.lower.edits import Edits, Extent, LoopEdit, Place


class Lowering(cst.CSTTransformer):
    """Applies the edits; `offset` is the line before the piece's first in its module."""

    def __init__(self, edits: Edits, positions: Mapping[cst.CSTNode, CodeRange], offset: int) -> None:
        super().__init__()
        self._edits = edits
        self._positions = positions
        self._offset = offset
        self._depth = 0
        self._quotes: list[str] = []
        self._tripled = False

    # -- places

    def _start(self, node: cst.CSTNode) -> Place:
        start = self._positions[node].start
        return start.line + self._offset, start.column

    def _extent(self, node: cst.CSTNode) -> Extent:
        where = self._positions[node]
        return (
            where.start.line + self._offset,
            where.start.column,
            where.end.line + self._offset,
            where.end.column,
        )

    def _text(self, value: str) -> cst.SimpleString:
        return nodes.text(value, self._free_quote())

    def _free_quote(self) -> str:
        """A quote that no f-string around ends at; before Python 3.12 they may not share one."""
        taken = set(self._quotes)
        for quote in ('"', "'"):
            if quote not in taken:
                return quote
        self._tripled = True
        return next(quote for quote in self._quotes if quote)

    def _anchor(self, target: cst.BaseExpression) -> Place:
        while isinstance(target, cst.Tuple) and target.elements:
            first = target.elements[0]
            target = first.value
        return self._start(target)

    # -- functions, comments

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:  # noqa: N802
        if self._depth or self._start(node) in self._edits.functions:
            self._depth += 1

    def leave_FunctionDef(self, original: cst.FunctionDef, updated: cst.FunctionDef) -> cst.FunctionDef:  # noqa: N802
        self._depth -= 1 if self._depth else 0
        edit = self._edits.functions.get(self._start(original))
        if edit is None:
            return updated
        made = [self._declaration(variable, site, edit.scope) for variable, site in edit.declared]
        return updated.with_changes(
            params=_with_scope(updated.params, edit.scope),
            asynchronous=updated.asynchronous or cst.Asynchronous(),
            decorators=[] if edit.is_root else updated.decorators,
            lines_after_decorators=[] if edit.is_root else updated.lines_after_decorators,
            body=nodes.prepend(updated.body, made),
        )

    def _declaration(self, variable: Declared, site: Site, scope: str) -> cst.BaseSmallStatement:
        head = [nodes.argument(self._text(site.id))]
        if variable.parameter:
            head.append(nodes.argument(cst.Name(variable.name)))
        return nodes.assign(variable.name, nodes.call(nodes.method(scope, variable.form), head))

    def leave_TrailingWhitespace(  # noqa: N802
        self, _original: cst.TrailingWhitespace, updated: cst.TrailingWhitespace
    ) -> cst.TrailingWhitespace:
        if not self._depth or updated.comment is None:
            return updated
        return updated.with_changes(comment=None, whitespace=cst.SimpleWhitespace(""))

    def leave_EmptyLine(  # noqa: N802
        self, _original: cst.EmptyLine, updated: cst.EmptyLine
    ) -> cst.EmptyLine | cst.RemovalSentinel:
        return cst.RemoveFromParent() if self._depth and updated.comment is not None else updated

    # -- loops

    def leave_For(self, original: cst.For, updated: cst.For) -> cst.For:  # noqa: N802
        edit = self._edits.loops.get(self._start(original))
        if edit is None:
            return updated
        return updated.with_changes(
            target=_scoped_target(edit.inner, updated.target),
            iter=self._each(edit, updated.iter),
            whitespace_after_for=_gap(updated.whitespace_after_for),
            whitespace_before_in=_gap(updated.whitespace_before_in),
            whitespace_after_in=_gap(updated.whitespace_after_in),
            body=self._with_declared(updated.body, edit),
        )

    def leave_CompFor(self, original: cst.CompFor, updated: cst.CompFor) -> cst.CompFor:  # noqa: N802
        edit = self._edits.clauses.get(self._anchor(original.target))
        if edit is None:
            return updated
        return updated.with_changes(
            target=_scoped_target(edit.inner, updated.target),
            iter=self._each(edit, updated.iter),
            whitespace_after_for=_gap(updated.whitespace_after_for),
            whitespace_before_in=_gap(updated.whitespace_before_in),
            whitespace_after_in=_gap(updated.whitespace_after_in),
        )

    def _each(self, edit: LoopEdit, iterable: cst.BaseExpression) -> cst.BaseExpression:
        head = [nodes.argument(self._text(edit.site.id)), nodes.argument(nodes.bare(iterable))]
        if edit.key:
            head.append(nodes.argument(cst.parse_expression(edit.key), "key"))
        head += _keep(edit.keep)
        return nodes.within(nodes.call(nodes.method(edit.scope, "each"), head), iterable)

    def _with_declared(self, body: cst.BaseSuite, edit: LoopEdit) -> cst.BaseSuite:
        made = [
            self._declaration(one, self._edits.sites[id(one.block), one.name], edit.inner)
            for one in edit.declared
        ]
        return nodes.prepend(body, made)

    def leave_While(  # noqa: N802
        self, original: cst.While, updated: cst.While
    ) -> cst.While | cst.FlattenSentinel[cst.BaseStatement]:
        edit = self._edits.loops.get(self._start(original))
        if edit is None:
            return updated
        step = cst.NamedExpr(cst.Name(edit.inner), nodes.call(nodes.method(edit.counter, "next"), []))
        test: cst.BaseExpression = step
        if not edit.endless:
            test = cst.BooleanOperation(nodes.parenthesised(step), cst.And(), _operand(updated.test))
        head = [nodes.argument(self._text(edit.site.id)), *_keep(edit.keep)]
        made = nodes.assign(edit.counter, nodes.call(nodes.method(edit.scope, "repeat"), head))
        loop = updated.with_changes(
            test=test,
            leading_lines=[],
            whitespace_after_while=_gap(updated.whitespace_after_while),
            body=self._with_declared(updated.body, edit),
        )
        return cst.FlattenSentinel([nodes.added_line(made, list(updated.leading_lines)), loop])

    # -- decisions

    def _branch(self, found: tuple[Site, str], condition: cst.BaseExpression) -> cst.BaseExpression:
        site, scope = found
        head = [nodes.argument(self._text(site.id)), nodes.argument(nodes.bare(condition))]
        return nodes.within(nodes.call(nodes.method(scope, "branch"), head), condition)

    def leave_If(self, original: cst.If, updated: cst.If) -> cst.If:  # noqa: N802
        found = self._edits.branches.get(self._start(original))
        if found is None:
            return updated
        gap = _gap(updated.whitespace_before_test)
        return updated.with_changes(test=self._branch(found, updated.test), whitespace_before_test=gap)

    def leave_IfExp(self, original: cst.IfExp, updated: cst.IfExp) -> cst.IfExp:  # noqa: N802
        found = self._edits.ternaries.get(self._extent(original))
        if found is None:
            return updated
        return updated.with_changes(
            test=self._branch(found, updated.test),
            whitespace_after_if=_gap(updated.whitespace_after_if),
            whitespace_before_else=_gap(updated.whitespace_before_else),
        )

    def leave_BooleanOperation(  # noqa: N802
        self, original: cst.BooleanOperation, updated: cst.BooleanOperation
    ) -> cst.BooleanOperation:
        found = self._edits.prefixes.get(self._extent(original.right))
        return updated if found is None else updated.with_changes(left=self._branch(found, updated.left))

    def leave_Match(self, original: cst.Match, updated: cst.Match) -> cst.Match:  # noqa: N802
        found = self._edits.matches.get(self._start(original))
        if found is None:
            return updated
        site, scope, words = found
        cases = []
        for case, word in zip(updated.cases, words, strict=True):
            head = [nodes.argument(self._text(site.id)), nodes.argument(self._text(word))]
            record = cst.Expr(nodes.call(nodes.method(scope, "branch"), head))
            cases.append(case.with_changes(body=nodes.prepend(case.body, [record])))
        return updated.with_changes(cases=cases)

    # -- names and state

    def leave_Name(self, original: cst.Name, updated: cst.Name) -> cst.BaseExpression:  # noqa: N802
        if original not in self._positions:
            return updated
        if self._start(original) in self._edits.names and self._depth:
            inner = updated.with_changes(lpar=[], rpar=[])
            return cst.Attribute(inner, cst.Name("value"), lpar=updated.lpar, rpar=updated.rpar)
        return self._constant(original, updated)

    def _constant(self, original: cst.BaseExpression, updated: cst.BaseExpression) -> cst.BaseExpression:
        found = self._edits.constants.get(self._extent(original)) if self._depth else None
        if found is None:
            return updated
        identity, scope = found
        head = [nodes.argument(self._text(identity)), nodes.argument(nodes.bare(updated))]
        return nodes.within(nodes.call(nodes.method(scope, "constant"), head), updated)

    def leave_Assign(self, original: cst.Assign, updated: cst.Assign) -> cst.Assign:  # noqa: N802
        found = self._edits.declarations.get(self._start(original.targets[0].target))
        if found is None:
            return updated
        target = updated.targets[0].with_changes(target=cst.Name(found[0].name))
        return updated.with_changes(targets=[target], value=self._initial(found, updated.value))

    def leave_AnnAssign(  # noqa: N802
        self, original: cst.AnnAssign, updated: cst.AnnAssign
    ) -> cst.AnnAssign | cst.Assign:
        found = self._edits.declarations.get(self._start(original.target))
        if found is None or updated.value is None:
            return self._without_annotation(original, updated)
        value = self._initial(found, updated.value)
        if found[0].form == "var":
            return cst.Assign([cst.AssignTarget(cst.Name(found[0].name))], value, semicolon=updated.semicolon)
        return updated.with_changes(value=value)

    def _without_annotation(
        self, original: cst.AnnAssign, updated: cst.AnnAssign
    ) -> cst.AnnAssign | cst.Assign:
        moved = self._depth and self._start(original.target) in self._edits.names
        if not moved or updated.value is None:
            return updated.with_changes(target=original.target) if moved else updated
        target = updated.target
        return cst.Assign([cst.AssignTarget(target)], updated.value, semicolon=updated.semicolon)

    def _initial(self, found: tuple[Declared, Site], value: cst.BaseExpression) -> cst.BaseExpression:
        declared, site = found
        head = [nodes.argument(self._text(site.id))]
        if declared.form == "var" or not _is_empty(value):
            head.append(nodes.argument(nodes.bare(value)))
        scope = site.scope.variable
        return nodes.within(nodes.call(nodes.method(scope, declared.form), head), value)

    # -- calls

    def leave_Call(self, original: cst.Call, updated: cst.Call) -> cst.BaseExpression:  # noqa: N802
        updated = updated.with_changes(func=nodes.primary(updated.func))
        edit = self._edits.calls.get(self._extent(original)) if self._depth else None
        if edit is None:
            return updated
        lowered = lower_call(edit, updated, self._text)
        if lowered is updated:
            return updated
        lowered = lowered.with_changes(lpar=updated.lpar, rpar=updated.rpar)
        return nodes.awaited(lowered) if edit.awaited else lowered

    def leave_Attribute(self, original: cst.Attribute, updated: cst.Attribute) -> cst.BaseExpression:  # noqa: N802
        updated = updated.with_changes(value=nodes.primary(updated.value))
        return self._constant(original, updated)

    def leave_Subscript(self, _original: cst.Subscript, updated: cst.Subscript) -> cst.Subscript:  # noqa: N802
        return updated.with_changes(value=nodes.primary(updated.value))

    # -- f-strings

    def visit_FormattedString(self, node: cst.FormattedString) -> None:  # noqa: N802
        self._quotes.append(node.start[-1] if not node.start.endswith(('"""', "'''")) else "")

    def leave_FormattedString(  # noqa: N802
        self, _original: cst.FormattedString, updated: cst.FormattedString
    ) -> cst.FormattedString:
        self._quotes.pop()
        if not self._tripled or any(self._quotes):
            return updated
        self._tripled = False
        return updated.with_changes(start=updated.start + updated.end * 2, end=updated.end * 3)

    def leave_FormattedStringExpression(  # noqa: N802
        self, original: cst.FormattedStringExpression, updated: cst.FormattedStringExpression
    ) -> Any:
        if original.equal is None or original.expression.deep_equals(updated.expression):
            return updated
        blank = cst.Module([])
        shown = blank.code_for_node(original.whitespace_before_expression)
        shown += blank.code_for_node(original.expression) + blank.code_for_node(original.equal)
        plain = updated.conversion is None and updated.format_spec is None
        conversion = "r" if plain else updated.conversion
        label = cst.FormattedStringText(shown.replace("{", "{{").replace("}", "}}"))
        return cst.FlattenSentinel([label, updated.with_changes(equal=None, conversion=conversion)])


def _with_scope(params: cst.Parameters, scope: str) -> cst.Parameters:
    first = cst.Param(cst.Name(scope))
    field = "posonly_params" if params.posonly_params else "params"
    present = [*getattr(params, field)]
    others = params.params or params.kwonly_params or params.star_kwarg
    more = present or others or not isinstance(params.star_arg, cst.MaybeSentinel)
    if more:
        first = first.with_changes(comma=cst.Comma(whitespace_after=cst.SimpleWhitespace(" ")))
    return params.with_changes(**{field: [first, *present]})


def _scoped_target(scope: str, target: cst.BaseExpression) -> cst.Tuple:
    if isinstance(target, cst.Tuple) and not target.lpar:
        target = nodes.parenthesised(target)
    comma = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
    return cst.Tuple([cst.Element(cst.Name(scope), comma=comma), cst.Element(target)], lpar=[], rpar=[])


def _keep(keep: tuple[str, ...] | None) -> list[cst.Arg]:
    if keep is None:
        return [nodes.argument(cst.Name("None"), "keep")]
    if not keep:
        return []
    elements = [cst.Element(cst.Name(name)) for name in keep]
    if len(elements) == 1:
        elements[0] = elements[0].with_changes(comma=cst.Comma())
    return [nodes.argument(cst.Tuple(elements), "keep")]


def _operand(test: cst.BaseExpression) -> cst.BaseExpression:
    weak = isinstance(test, cst.IfExp | cst.Lambda | cst.NamedExpr | cst.BooleanOperation)
    strong = isinstance(test, cst.BooleanOperation) and isinstance(test.operator, cst.And)
    return nodes.parenthesised(test) if weak and not strong and not test.lpar else test


def _gap(space: cst.BaseParenthesizableWhitespace) -> cst.BaseParenthesizableWhitespace:
    return cst.SimpleWhitespace(" ") if getattr(space, "empty", False) else space


def _is_empty(value: cst.BaseExpression) -> bool:
    if isinstance(value, cst.List | cst.Dict):
        return not value.elements
    is_call = isinstance(value, cst.Call) and isinstance(value.func, cst.Name)
    return is_call and value.func.value in {"list", "dict"} and not value.args  # type: ignore[attr-defined]
