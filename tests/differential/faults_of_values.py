"""Faults in what is called, what is kept, and how blocks are left."""

from __future__ import annotations

import ast

from tests.differential.breaking import Fault, edit, has_await, instead, is_primitive, without


def _alternative_lost(node: ast.MatchOr) -> ast.pattern:
    return node.patterns[1] if len(node.patterns) == 2 else node


def _fresh_default(node: ast.AsyncFunctionDef) -> ast.AsyncFunctionDef:
    if node.name != "visit":
        return node
    return without(node, body=[*ast.parse("log = list(log)").body, *node.body])


def _no_star_clause(node: ast.TryStar) -> ast.TryStar:
    return without(node, handlers=node.handlers[1:])


def _no_star_else(node: ast.TryStar) -> ast.TryStar:
    return without(node, orelse=[])


def _finally_behind(node: ast.Try) -> ast.Try | list[ast.stmt]:
    """A return or an exception passes by."""
    return [without(node, finalbody=[]), *node.finalbody] if node.finalbody and node.handlers else node


def _else_behind(node: ast.For) -> ast.For | list[ast.stmt]:
    """A `break` reaches it, too."""
    return [without(node, orelse=[]), *node.orelse] if node.orelse else node


def _body_first(node: ast.While) -> ast.While:
    """The condition is tested at the end of an iteration."""
    if not isinstance(node.test, ast.BoolOp):
        return node
    step, *rest = node.test.values
    leave = ast.If(ast.UnaryOp(ast.Not(), rest[0]), [ast.Break()], [])
    return without(node, test=step, body=[*node.body, leave])


def _operand_twice(node: ast.Compare) -> ast.expr:
    if len(node.ops) != 2 or not has_await(node.comparators[0]):
        return node
    middle = node.comparators[0]
    first = ast.Compare(node.left, node.ops[:1], [middle])
    return ast.BoolOp(ast.And(), [first, ast.Compare(middle, node.ops[1:], node.comparators[1:])])


def _no_cause(node: ast.Raise) -> ast.Raise:
    return without(node, cause=None) if isinstance(node.cause, ast.Name) else node


def _no_assert(node: ast.Assert) -> ast.stmt:
    return ast.Pass() if has_await(node.test) else node


def _no_specification(node: ast.FormattedValue) -> ast.FormattedValue:
    return without(node, format_spec=None)


def _errors_raised(node: ast.Call) -> ast.Call:
    return without(node, keywords=[]) if is_primitive(node, "parallel") else node


def _arms_backwards(node: ast.Starred) -> ast.Starred:
    backwards = ast.Slice(None, None, ast.UnaryOp(ast.USub(), ast.Constant(1)))
    return without(node, value=ast.Subscript(node.value, backwards, ast.Load()))


def _arm_lost(node: ast.Call) -> ast.Call:
    return without(node, args=node.args[:-1]) if is_primitive(node, "parallel") else node


def _bound_to_none(node: ast.Call) -> ast.Call:
    if not is_primitive(node, "var") or len(node.args) != 1:
        return node
    return without(node, args=[*node.args, ast.Constant(None)])


def _left_out(node: ast.UnaryOp) -> ast.expr:
    return node.operand if isinstance(node.op, ast.Not) else node


def _crossed(node: ast.IfExp) -> ast.IfExp:
    return without(node, body=node.orelse, orelse=node.body)


def _mirrored(node: ast.DictComp) -> ast.DictComp:
    return without(node, key=node.value, value=node.key)


FAULTS_OF_VALUES = [
    Fault(
        "method called on another object",
        "methods_that_change",
        instead(
            "wf_place.activity('add', Counter.add, counter.value, len(place))",
            "wf_place.activity('add', Counter.add, first, len(place))",
        ),
    ),
    Fault("override of a method lost", "methods_that_change", instead("type(parcel).ship", "Parcel.ship")),
    Fault("wrong candidate of a table", "leaf_from_table", instead("CHANNELS[channel]", "CHANNELS['mail']")),
    Fault("argument of a partial lost", "function_tables", instead("partial(plus, more=n.value)", "plus")),
    Fault("chosen functions crossed", "functions_as_arguments", edit(ast.IfExp, _crossed)),
    Fault(
        "default of a keyword lost",
        "helper_default_arguments",
        instead("await wf_i.activity('rate#2', rate, n)", "0"),
    ),
    Fault("default made anew", "helper_mutable_default", edit(ast.AsyncFunctionDef, _fresh_default)),
    Fault(
        "default of a lambda bound late",
        "closures_in_loop",
        instead(
            "lambda item, factor=factor.value: (item * factor % 5, item)",
            "lambda item: (item * factor.value % 5, item)",
        ),
    ),
    Fault(
        "helper in the scope of another",
        "nonlocal_in_loops",
        instead("wf_by.call('stroll', stroll, by)", "wf.call('stroll', stroll, by)"),
    ),
    Fault(
        "function value in the wrong scope",
        "functions_as_arguments",
        instead("wf_x.call('chosen', chosen, x)", "wf.call('chosen', chosen, x)"),
    ),
    Fault("state of a closure not kept", "functions_as_arguments", instead("(tick, record)", "()")),
    Fault("another object kept", "loop_changes_items", instead("(stock,)", "(numbers,)")),
    Fault("alias turned into a copy", "changed_then_let_go", instead("box.value", "dict(box.value)")),
    Fault("unbound turned into None", "empty_loop_unbound", edit(ast.Call, _bound_to_none, every=True)),
    Fault(
        "items taken before the loop",
        "loop_changes_items",
        instead("zip(numbers, reversed(numbers))", "list(zip(numbers, reversed(numbers)))"),
    ),
    Fault(
        "iterator consumed early",
        "iterators_shared",
        instead(
            "groupby([1, 3, 4, 5], key=lambda one: one % 2)",
            "list(groupby([1, 3, 4, 5], key=lambda one: one % 2))",
        ),
    ),
    Fault("clause of except* lost", "except_group", edit(ast.TryStar, _no_star_clause)),
    Fault("else of except* dropped", "except_group", edit(ast.TryStar, _no_star_else)),
    Fault("finally skipped on return", "try_return_in_finally", edit(ast.Try, _finally_behind)),
    Fault("else of a for run after break", "for_else_break", edit(ast.For, _else_behind)),
    Fault("condition of a while tested late", "while_loop", edit(ast.While, _body_first)),
    Fault("break turned into continue", "for_else_break", edit(ast.Break, lambda _: ast.Continue())),
    Fault("walrus lost", "walrus", instead("(start := 10)", "10")),
    Fault("not dropped", "boolean_operators", edit(ast.UnaryOp, _left_out)),
    Fault("operand of a chain evaluated twice", "chained_comparison", edit(ast.Compare, _operand_twice)),
    Fault("key and value exchanged", "async_for_plain", edit(ast.DictComp, _mirrored)),
    Fault("cause of an exception lost", "raise_from", edit(ast.Raise, _no_cause)),
    Fault("assert dropped", "assert_and_pass", edit(ast.Assert, _no_assert)),
    Fault("format specification lost", "format_strings", edit(ast.FormattedValue, _no_specification)),
    Fault("alternative of a pattern lost", "match_values", edit(ast.MatchOr, _alternative_lost)),
    Fault("manager dropped", "with_pure_managers", edit(ast.With, lambda node: node.body)),
    Fault("return_exceptions lost", "gather_errors", edit(ast.Call, _errors_raised)),
    Fault("fan-out backwards", "gather_errors", edit(ast.Starred, _arms_backwards)),
    Fault("arm of a gather lost", "gather_fixed", edit(ast.Call, _arm_lost)),
]
