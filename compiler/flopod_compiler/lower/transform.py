"""The transformer: rewrites the workflow functions of one piece of source by the edits at each place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import libcst as cst

from flopod_compiler.analyse.declared import Declared
from flopod_compiler.lower import nodes
from flopod_compiler.lower.calls import lower_call, lower_spread
from flopod_compiler.lower.edits import Edits, LoopEdit, Place
from flopod_compiler.lower.positions import Positions
from flopod_compiler.sites import Site

_Node = TypeVar("_Node", bound=cst.CSTNode)
_Part = TypeVar("_Part", cst.Attribute, cst.Subscript)


class Lowering(cst.CSTTransformer):
    """Applies the edits, which begin at `places`, to the tree that `positions` was made from."""

    def __init__(self, edits: Edits, places: set[Place], positions: Positions) -> None:
        super().__init__()
        self._edits = edits
        self._positions = positions
        self._start = positions.start
        self._extent = positions.extent
        self._depth = 0
        self._quotes: list[str] = []
        self._tripled = False
        self._holds = positions.holding(places)

    # What holds nothing to edit is neither visited nor left: it stays the node that it is.

    def on_visit(self, node: cst.CSTNode) -> bool:
        if not self._holds(node):
            return False
        visit = _VISITS.get(node.__class__)
        if visit is not None:
            visit(self, node)
        return True

    def on_visit_attribute(self, node: cst.CSTNode, attribute: str) -> None:
        """Nothing is edited by the name of a field; the base looks for a method for each."""

    def on_leave_attribute(self, original_node: cst.CSTNode, attribute: str) -> None:
        """As above."""

    def on_leave(
        self, original_node: _Node, updated_node: _Node
    ) -> _Node | cst.RemovalSentinel | cst.FlattenSentinel[_Node]:
        leave = _LEAVES.get(original_node.__class__)
        if leave is None or not self._holds(original_node):
            return updated_node
        return leave(self, original_node, updated_node)  # type: ignore[no-any-return]

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

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        if self._depth or self._start(node) in self._edits.functions:
            self._depth += 1

    def leave_FunctionDef(
        self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef
    ) -> cst.FunctionDef:
        self._depth -= 1 if self._depth else 0
        edit = self._edits.functions.get(self._start(original_node))
        if edit is None:
            return updated_node
        made = [self._declaration(variable, site, edit.scope) for variable, site in edit.declared]
        return updated_node.with_changes(
            params=_with_scope(updated_node.params, edit.scope),
            asynchronous=updated_node.asynchronous or cst.Asynchronous(),
            decorators=[] if edit.is_root else updated_node.decorators,
            lines_after_decorators=[] if edit.is_root else updated_node.lines_after_decorators,
            body=nodes.prepend(updated_node.body, made),
        )

    def _declaration(self, variable: Declared, site: Site, scope: str) -> cst.BaseSmallStatement:
        head = [nodes.argument(self._text(site.id))]
        if variable.parameter:
            head.append(nodes.argument(cst.Name(variable.name)))
        return nodes.assign(variable.name, nodes.call(nodes.method(scope, variable.form), head))

    def leave_TrailingWhitespace(
        self, original_node: cst.TrailingWhitespace, updated_node: cst.TrailingWhitespace
    ) -> cst.TrailingWhitespace:
        if not self._depth or updated_node.comment is None:
            return updated_node
        return updated_node.with_changes(comment=None, whitespace=cst.SimpleWhitespace(""))

    def leave_EmptyLine(
        self, original_node: cst.EmptyLine, updated_node: cst.EmptyLine
    ) -> cst.EmptyLine | cst.RemovalSentinel:
        return cst.RemoveFromParent() if self._depth and updated_node.comment is not None else updated_node

    # -- loops

    def leave_For(self, original_node: cst.For, updated_node: cst.For) -> cst.For:
        edit = self._edits.loops.get(self._start(original_node))
        if edit is None:
            return updated_node
        return updated_node.with_changes(
            target=_scoped_target(edit.inner, updated_node.target),
            iter=self._each(edit, updated_node.iter),
            body=self._with_declared(updated_node.body, edit),
        )

    def leave_CompFor(self, original_node: cst.CompFor, updated_node: cst.CompFor) -> cst.CompFor:
        edit = self._edits.clauses.get(self._anchor(original_node.target))
        if edit is None:
            return updated_node
        return updated_node.with_changes(
            target=_scoped_target(edit.inner, updated_node.target),
            iter=self._each(edit, updated_node.iter),
        )

    def _each(self, edit: LoopEdit, iterable: cst.BaseExpression) -> cst.BaseExpression:
        head = [nodes.argument(self._text(edit.site.id)), nodes.argument(nodes.bare(iterable))]
        if edit.key:
            head.append(nodes.argument(cst.parse_expression(edit.key), "key"))
        head += _keep(edit.keep)
        return nodes.within(nodes.call(nodes.method(edit.scope, "each"), head), iterable)

    def _with_declared(self, body: cst.BaseSuite, edit: LoopEdit) -> cst.BaseSuite:
        made = [
            self._declaration(one, self._edits.sites[one.block, one.name], edit.inner)
            for one in edit.declared
        ]
        return nodes.prepend(body, made)

    def leave_While(
        self, original_node: cst.While, updated_node: cst.While
    ) -> cst.While | cst.FlattenSentinel[cst.BaseStatement]:
        edit = self._edits.loops.get(self._start(original_node))
        if edit is None:
            return updated_node
        step = cst.NamedExpr(cst.Name(edit.inner), nodes.call(nodes.method(edit.counter, "next"), []))
        test: cst.BaseExpression = step
        if not edit.endless:
            test = cst.BooleanOperation(nodes.parenthesised(step), cst.And(), _operand(updated_node.test))
        head = [nodes.argument(self._text(edit.site.id)), *_keep(edit.keep)]
        made = nodes.assign(edit.counter, nodes.call(nodes.method(edit.scope, "repeat"), head))
        loop = updated_node.with_changes(
            test=test,
            leading_lines=[],
            body=self._with_declared(updated_node.body, edit),
        )
        return cst.FlattenSentinel([nodes.added_line(made, list(updated_node.leading_lines)), loop])

    # -- decisions

    def _branch(self, found: tuple[Site, str], condition: cst.BaseExpression) -> cst.BaseExpression:
        site, scope = found
        head = [nodes.argument(self._text(site.id)), nodes.argument(nodes.bare(condition))]
        return nodes.within(nodes.call(nodes.method(scope, "branch"), head), condition)

    def leave_If(self, original_node: cst.If, updated_node: cst.If) -> cst.If:
        found = self._edits.branches.get(self._start(original_node))
        if found is None:
            return updated_node
        return updated_node.with_changes(test=self._branch(found, updated_node.test))

    def leave_IfExp(self, original_node: cst.IfExp, updated_node: cst.IfExp) -> cst.IfExp:
        found = self._edits.ternaries.get(self._extent(original_node))
        if found is None:
            return updated_node
        return updated_node.with_changes(test=self._branch(found, updated_node.test))

    def leave_BooleanOperation(
        self, original_node: cst.BooleanOperation, updated_node: cst.BooleanOperation
    ) -> cst.BooleanOperation:
        found = self._edits.prefixes.get(self._extent(original_node.right))
        return (
            updated_node
            if found is None
            else updated_node.with_changes(left=self._branch(found, updated_node.left))
        )

    def leave_Match(self, original_node: cst.Match, updated_node: cst.Match) -> cst.Match:
        found = self._edits.matches.get(self._start(original_node))
        if found is None:
            return updated_node
        site, scope, words = found
        cases = []
        for case, word in zip(updated_node.cases, words, strict=True):
            head = [nodes.argument(self._text(site.id)), nodes.argument(self._text(word))]
            record = cst.Expr(nodes.call(nodes.method(scope, "branch"), head))
            cases.append(case.with_changes(body=nodes.prepend(case.body, [record])))
        return updated_node.with_changes(cases=cases)

    # -- names and state

    def leave_Name(self, original_node: cst.Name, updated_node: cst.Name) -> cst.BaseExpression:
        if original_node not in self._positions:
            return updated_node
        if self._start(original_node) in self._edits.names and self._depth:
            inner = updated_node.with_changes(lpar=[], rpar=[])
            return cst.Attribute(inner, cst.Name("value"), lpar=updated_node.lpar, rpar=updated_node.rpar)
        return self._constant(original_node, updated_node)

    def _constant(
        self, original_node: cst.BaseExpression, updated_node: cst.BaseExpression
    ) -> cst.BaseExpression:
        found = self._edits.constants.get(self._extent(original_node)) if self._depth else None
        if found is None:
            return updated_node
        identity, scope = found
        head = [nodes.argument(self._text(identity)), nodes.argument(nodes.bare(updated_node))]
        return nodes.within(nodes.call(nodes.method(scope, "constant"), head), updated_node)

    def leave_Assign(self, original_node: cst.Assign, updated_node: cst.Assign) -> cst.Assign:
        found = self._edits.declarations.get(self._start(original_node.targets[0].target))
        if found is None:
            return updated_node
        target = updated_node.targets[0].with_changes(target=cst.Name(found[0].name))
        return updated_node.with_changes(targets=[target], value=self._initial(found, updated_node.value))

    def leave_AnnAssign(
        self, original_node: cst.AnnAssign, updated_node: cst.AnnAssign
    ) -> cst.AnnAssign | cst.Assign:
        found = self._edits.declarations.get(self._start(original_node.target))
        if found is None or updated_node.value is None:
            return self._without_annotation(original_node, updated_node)
        value = self._initial(found, updated_node.value)
        if found[0].form == "var":
            return cst.Assign(
                [cst.AssignTarget(cst.Name(found[0].name))], value, semicolon=updated_node.semicolon
            )
        return updated_node.with_changes(value=value)

    def _without_annotation(
        self, original_node: cst.AnnAssign, updated_node: cst.AnnAssign
    ) -> cst.AnnAssign | cst.Assign:
        moved = self._depth and self._start(original_node.target) in self._edits.names
        if not moved or updated_node.value is None:
            return updated_node.with_changes(target=original_node.target) if moved else updated_node
        target = updated_node.target
        return cst.Assign([cst.AssignTarget(target)], updated_node.value, semicolon=updated_node.semicolon)

    def _initial(self, found: tuple[Declared, Site], value: cst.BaseExpression) -> cst.BaseExpression:
        declared, site = found
        head = [nodes.argument(self._text(site.id))]
        if declared.form == "var" or not _is_empty(value):
            head.append(nodes.argument(nodes.bare(value)))
        scope = site.variable
        return nodes.within(nodes.call(nodes.method(scope, declared.form), head), value)

    # -- calls

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
        func = nodes.primary(updated_node.func)
        if func is not updated_node.func:
            updated_node = updated_node.with_changes(func=func)
        spread = self._edits.spreads.get(self._extent(original_node)) if self._depth else None
        if spread is not None:
            return lower_spread(*spread, updated_node, self._text)
        edit = self._edits.calls.get(self._extent(original_node)) if self._depth else None
        if edit is None:
            return updated_node
        lowered = lower_call(edit, updated_node, self._text)
        if lowered is updated_node:
            return updated_node
        lowered = lowered.with_changes(lpar=updated_node.lpar, rpar=updated_node.rpar)
        return nodes.awaited(lowered) if edit.awaited else lowered

    def leave_Await(self, original_node: cst.Await, updated_node: cst.Await) -> cst.Await:
        return updated_node.with_changes(expression=nodes.primary(updated_node.expression))

    def leave_Attribute(
        self, original_node: cst.Attribute, updated_node: cst.Attribute
    ) -> cst.BaseExpression:
        return self._constant(original_node, _after_await(updated_node))

    def leave_Subscript(self, original_node: cst.Subscript, updated_node: cst.Subscript) -> cst.Subscript:
        return _after_await(updated_node)

    # -- f-strings

    def visit_FormattedString(self, node: cst.FormattedString) -> None:
        self._quotes.append(node.start[-1] if not node.start.endswith(('"""', "'''")) else "")

    def leave_FormattedString(
        self, original_node: cst.FormattedString, updated_node: cst.FormattedString
    ) -> cst.FormattedString:
        self._quotes.pop()
        if not self._tripled or any(self._quotes):
            return updated_node
        self._tripled = False
        return updated_node.with_changes(
            start=updated_node.start + updated_node.end * 2, end=updated_node.end * 3
        )

    def leave_FormattedStringExpression(
        self, original_node: cst.FormattedStringExpression, updated_node: cst.FormattedStringExpression
    ) -> Any:
        if original_node.equal is None or original_node.expression.deep_equals(updated_node.expression):
            return updated_node
        shown = self._positions.text(original_node.whitespace_before_expression, original_node.equal)
        plain = updated_node.conversion is None and updated_node.format_spec is None
        conversion = "r" if plain else updated_node.conversion
        label = cst.FormattedStringText(shown.replace("{", "{{").replace("}", "}}"))
        return cst.FlattenSentinel([label, updated_node.with_changes(equal=None, conversion=conversion)])


def _methods(prefix: str) -> dict[type[cst.CSTNode], Callable[..., Any]]:
    """The methods for some kinds of nodes; the base has one for each kind, and looks it up by its name."""
    methods = vars(Lowering).items()
    return {getattr(cst, name.removeprefix(prefix)): one for name, one in methods if name.startswith(prefix)}


_VISITS, _LEAVES = _methods("visit_"), _methods("leave_")


def _after_await(node: _Part) -> _Part:
    """An attribute or item, whose value may have become an `await`."""
    value = nodes.primary(node.value)
    return node if value is node.value else node.with_changes(value=value)


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
    return [] if keep == () else [nodes.keep(keep)]


def _operand(test: cst.BaseExpression) -> cst.BaseExpression:
    weak = isinstance(test, cst.IfExp | cst.Lambda | cst.NamedExpr | cst.BooleanOperation)
    strong = isinstance(test, cst.BooleanOperation) and isinstance(test.operator, cst.And)
    return nodes.parenthesised(test) if weak and not strong and not test.lpar else test


def _is_empty(value: cst.BaseExpression) -> bool:
    if isinstance(value, cst.List | cst.Dict):
        return not value.elements
    is_call = isinstance(value, cst.Call) and isinstance(value.func, cst.Name)
    return is_call and value.func.value in {"list", "dict"} and not value.args  # type: ignore[attr-defined]
