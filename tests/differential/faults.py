"""Compilers broken on purpose: faults put into the emitted code of a case that is right."""

from __future__ import annotations

import ast

from tests.differential.breaking import Fault, edit, has_await, is_primitive, without
from tests.differential.faults_of_tasks import FAULTS_OF_TASKS
from tests.differential.faults_of_values import FAULTS_OF_VALUES


def _wrong_scope(node: ast.Call) -> ast.Call:
    function = node.func
    if not is_primitive(node, "activity") or not isinstance(function, ast.Attribute):
        return node
    scope = function.value
    if not isinstance(scope, ast.Name) or scope.id == "wf":
        return node
    return without(node, func=ast.Attribute(ast.Name("wf", ast.Load()), "activity", ast.Load()))


def _lost_keyword(node: ast.Call) -> ast.Call:
    if not is_primitive(node, "activity") or not node.keywords:
        return node
    return without(node, keywords=node.keywords[:-1])


def _lost_star(node: ast.Call) -> ast.Call:
    starred = [one for one in node.args if isinstance(one, ast.Starred)]
    if not is_primitive(node, "activity") or not starred:
        return node
    return without(node, args=[one for one in node.args if one is not starred[-1]])


def _stale(tree: ast.Module) -> bool:
    """Every captured variable becomes a plain local that no snapshot knows."""
    plain = edit(ast.Call, lambda node: _initial(node) if is_primitive(node, "var") else node, every=True)
    value = edit(ast.Attribute, lambda node: _plain_name(node) if node.attr == "value" else node, every=True)
    return plain(tree) and value(tree)


def _initial(node: ast.Call) -> ast.expr:
    return node.args[1] if len(node.args) > 1 else ast.Constant(None)


def _plain_name(node: ast.Attribute) -> ast.expr:
    return ast.Name(node.value.id, node.ctx) if isinstance(node.value, ast.Name) else node


def _not_kept(node: ast.Call) -> ast.Call:
    kept = [one for one in node.keywords if one.arg == "keep" and isinstance(one.value, ast.Tuple)]
    return without(node, keywords=[one for one in node.keywords if one not in kept]) if kept else node


def _swapped(node: ast.BinOp) -> ast.BinOp:
    return without(node, left=node.right, right=node.left) if has_await(node) else node


def _twice(node: ast.Assign) -> ast.AST | list[ast.stmt]:
    return [node, node] if isinstance(node.value, ast.Await) else node


def _no_finally(node: ast.Try) -> ast.Try:
    return without(node, finalbody=[]) if node.handlers else node


def _fewer_handlers(node: ast.Try) -> ast.Try:
    return without(node, handlers=node.handlers[1:]) if len(node.handlers) > 1 else node


def _without_conditions(node: ast.comprehension) -> ast.comprehension:
    return without(node, ifs=[])


def _default_retry(node: ast.Call) -> ast.Call:
    if not is_primitive(node, "attempt"):
        return node
    default = ast.Call(ast.Name("Retry", ast.Load()), [], [])
    return without(node, args=[node.args[0], default, *node.args[2:]])


def _reversed_arms(node: ast.Call) -> ast.Call:
    if not is_primitive(node, "parallel") or len(node.args) < 2:
        return node
    return without(node, args=node.args[::-1])


def _negated(node: ast.Call) -> ast.Call:
    if not is_primitive(node, "branch"):
        return node
    return without(node, args=[node.args[0], ast.UnaryOp(ast.Not(), node.args[1])])


def _not_recorded(node: ast.Call) -> ast.Call:
    return ast.Call(node.args[1], node.args[2:], node.keywords) if is_primitive(node, "record") else node


def _printed_again(node: ast.Call) -> ast.Call:
    return without(node, func=ast.Name("print", ast.Load())) if is_primitive(node, "print") else node


def _first_link(node: ast.Compare) -> ast.Compare:
    return without(node, ops=node.ops[:1], comparators=node.comparators[:1])


def _right_first(node: ast.AugAssign) -> ast.AST | list[ast.stmt]:
    if not has_await(node.value):
        return node
    early = ast.Assign([ast.Name("early", ast.Store())], node.value)
    return [early, without(node, value=ast.Name("early", ast.Load()))]


def _both_sides(node: ast.BoolOp) -> ast.AST:
    if not has_await(node):
        return node
    return ast.Call(ast.Name("all", ast.Load()), [ast.List(node.values, ast.Load())], [])


def _reset_in_loop(node: ast.For) -> ast.For:
    reset = ast.parse("amount = wf.var('amount', 0)").body
    return without(node, body=[*reset, *node.body])


def _no_timeout(node: ast.Call) -> ast.Call:
    if not is_primitive(node, "wait"):
        return node
    return without(node, keywords=[one for one in node.keywords if one.arg != "timeout"])


def _no_conversion(node: ast.FormattedValue) -> ast.FormattedValue:
    return without(node, conversion=-1)


def _guard_lost(node: ast.match_case) -> ast.match_case:
    return without(node, guard=None)


def _starts_early(node: ast.Assign) -> ast.Assign:
    if not isinstance(node.value, ast.Call) or not is_primitive(node.value, "activity"):
        return node
    ready = ast.parse("wf_ready(None)", mode="eval").body
    assert isinstance(ready, ast.Call)
    return without(node, value=ast.Await(without(ready, func=node.value.func, args=node.value.args)))


FAULTS = [
    Fault("else of an if dropped", "if_elif_else", edit(ast.If, lambda node: without(node, orelse=[]))),
    Fault("else of a for dropped", "for_else_break", edit(ast.For, lambda node: without(node, orelse=[]))),
    Fault("else of a while dropped", "while_else", edit(ast.While, lambda node: without(node, orelse=[]))),
    Fault("else of a try dropped", "try_else_finally", edit(ast.Try, lambda node: without(node, orelse=[]))),
    Fault("finally dropped", "try_else_finally", edit(ast.Try, _no_finally)),
    Fault("except clause lost", "try_except", edit(ast.Try, _fewer_handlers)),
    Fault("wrong loop scope", "for_loop", edit(ast.Call, _wrong_scope)),
    Fault("keyword argument lost", "starred_arguments", edit(ast.Call, _lost_keyword)),
    Fault("starred argument lost", "starred_arguments", edit(ast.Call, _lost_star)),
    Fault("variable not captured", "while_loop", _stale),
    Fault("object not kept", "loop_changes_by_leaf", edit(ast.Call, _not_kept, every=True)),
    Fault("variable made anew in each iteration", "for_loop", edit(ast.For, _reset_in_loop)),
    Fault("operands swapped", "binary_operators", edit(ast.BinOp, _swapped)),
    Fault("right side of += first", "augmented_assignment", edit(ast.AugAssign, _right_first, every=True)),
    Fault("short circuit lost", "boolean_operators", edit(ast.BoolOp, _both_sides)),
    Fault("chained comparison cut", "chained_comparison", edit(ast.Compare, _first_link)),
    Fault("continue turned into pass", "except_in_loop", edit(ast.Continue, lambda _: ast.Pass())),
    Fault("return in a loop lost", "for_continue_return", edit(ast.Return, lambda _: ast.Break())),
    Fault("del dropped", "unbound_carried", edit(ast.Delete, lambda _: ast.Pass())),
    Fault("change of an argument dropped", "changes_its_input", edit(ast.Delete, lambda _: ast.Pass())),
    Fault("nonlocal dropped", "nested_sync_helper", edit(ast.Nonlocal, lambda _: ast.Pass())),
    Fault("evaluated twice", "sequence", edit(ast.Assign, _twice)),
    Fault("comprehension condition dropped", "comprehensions", edit(ast.comprehension, _without_conditions)),
    Fault("guard of a case dropped", "match_guards", edit(ast.match_case, _guard_lost)),
    Fault("retry of attempt replaced by the default", "attempt", edit(ast.Call, _default_retry)),
    Fault("order of gather reversed", "gather_fixed", edit(ast.Call, _reversed_arms)),
    Fault("branch negated", "if_elif_else", edit(ast.Call, _negated)),
    Fault("random number not recorded", "recordables", edit(ast.Call, _not_recorded)),
    Fault("print on every replay", "printing", edit(ast.Call, _printed_again)),
    Fault("conversion of an f-string lost", "format_strings", edit(ast.FormattedValue, _no_conversion)),
    Fault("timeout of a wait lost", "wait_for_event", edit(ast.Call, _no_timeout)),
    Fault("coroutine started before its await", "deferred_await", edit(ast.Assign, _starts_early)),
    *FAULTS_OF_VALUES,
    *FAULTS_OF_TASKS,
]  # fmt: skip
