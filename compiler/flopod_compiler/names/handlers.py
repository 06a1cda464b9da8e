"""What each kind of node binds, records and leads to: the table that a walk goes by."""

from __future__ import annotations

import ast

from flopod_compiler.model import FunctionNode
from flopod_compiler.names.scopes import Binding, How, Scope, inner_scope
from flopod_compiler.names.walker import Handler, Walker

_RECORDED = (
    ast.Await,
    ast.Return,
    ast.Yield,
    ast.YieldFrom,
    ast.With,
    ast.AsyncWith,
    ast.For,
    ast.AsyncFor,
    ast.Global,
    ast.BinOp,
    ast.AugAssign,
    ast.Expr,
    ast.Delete,
    ast.Subscript,
    ast.Compare,
    *(ast.If, ast.While, ast.IfExp, ast.Assert, ast.BoolOp, ast.UnaryOp, ast.FormattedValue),
    *(ast.Dict, ast.Set, ast.Starred, ast.MatchClass),
)


def _name(walker: Walker, node: ast.Name, scope: Scope) -> None:
    if isinstance(node.ctx, ast.Load):
        scope.loads.append(node)
    else:
        walker.bind(node.id, Binding(How.DELETE, node, scope), scope)


def _attribute(walker: Walker, node: ast.Attribute, scope: Scope) -> None:
    if isinstance(node.ctx, ast.Load):
        scope.attributes.append(node)
    else:
        scope.stores.append(node)
    walker.push(node.value, scope, node)


def _subscript(walker: Walker, node: ast.Subscript, scope: Scope) -> None:
    (scope.others if isinstance(node.ctx, ast.Load) else scope.stores).append(node)
    walker.push(node.slice, scope, node)
    walker.push(node.value, scope, node)


def _call(walker: Walker, node: ast.Call, scope: Scope) -> None:
    scope.calls.append(node)
    walker.push_all([keyword.value for keyword in node.keywords], scope, node)
    walker.push_all(node.args, scope, node)
    walker.push(node.func, scope, node)


def _recorded(walker: Walker, node: ast.AST, scope: Scope) -> None:
    scope.others.append(node)
    walker.push_children(node, scope)


def _assign(walker: Walker, node: ast.Assign, scope: Scope) -> None:
    for target in reversed(node.targets):
        walker.bind_target(target, How.ASSIGN, node.value, scope, scope, node)
        if isinstance(target, ast.Tuple | ast.List):
            scope.others.append(node)
    walker.push(node.value, scope, node)


def _annotated(walker: Walker, node: ast.AnnAssign, scope: Scope) -> None:
    if isinstance(node.target, ast.Name):
        how = How.ASSIGN if node.value is not None else How.DECLARE
        binding = Binding(how, node, scope, node.value, node.annotation)
        walker.bind(node.target.id, binding, scope)
        walker.tree.parents[node.target] = node
    else:
        walker.push(node.target, scope, node)
    walker.push(node.value, scope, node)


def _augmented(walker: Walker, node: ast.AugAssign, scope: Scope) -> None:
    scope.others.append(node)
    walker.push(node.value, scope, node)
    if isinstance(node.target, ast.Name):
        walker.bind(node.target.id, Binding(How.AUGMENT, node, scope, node.value), scope)
        walker.tree.parents[node.target] = node
    else:
        walker.push(node.target, scope, node)


def _walrus(walker: Walker, node: ast.NamedExpr, scope: Scope) -> None:
    owner = scope
    while owner.is_comprehension and owner.parent is not None:
        owner = owner.parent
    walker.bind(node.target.id, Binding(How.ASSIGN, node, scope, node.value), owner)
    walker.push(node.value, scope, node)


def _for(walker: Walker, node: ast.For | ast.AsyncFor, scope: Scope) -> None:
    scope.others.append(node)
    walker.push_all(node.orelse, scope, node)
    walker.push_all(node.body, scope, node)
    walker.bind_target(node.target, How.FOR, node.iter, scope, scope, node)
    walker.push(node.iter, scope, node)


def _with(walker: Walker, node: ast.With | ast.AsyncWith, scope: Scope) -> None:
    scope.others.append(node)
    walker.push_all(node.body, scope, node)
    for item in reversed(node.items):
        if item.optional_vars is not None:
            walker.bind_target(item.optional_vars, How.WITH, item.context_expr, scope, scope, node)
        walker.push(item.context_expr, scope, node)


def _import(walker: Walker, node: ast.Import, scope: Scope) -> None:
    for alias in node.names:
        name = alias.asname or alias.name.partition(".")[0]
        walker.bind(name, Binding(How.IMPORT, alias, scope), scope)


def _import_from(walker: Walker, node: ast.ImportFrom, scope: Scope) -> None:
    for alias in node.names:
        if alias.name == "*":
            scope.stars.append(node)
        else:
            walker.tree.parents[alias] = node
            walker.bind(alias.asname or alias.name, Binding(How.IMPORT_FROM, alias, scope), scope)


def _global(_walker: Walker, node: ast.Global, scope: Scope) -> None:
    scope.globals.update(node.names)
    scope.others.append(node)


def _nonlocal(_walker: Walker, node: ast.Nonlocal, scope: Scope) -> None:
    scope.nonlocals.update(node.names)


def _function(walker: Walker, node: FunctionNode, scope: Scope) -> None:
    walker.bind(node.name, Binding(How.DEFINE, node, scope), scope)
    walker.tree.functions[node] = scope
    if walker.deep:
        child = inner_scope(node, scope, node.name)
        walker.enter(child, scope)
        walker.bind_parameters(node.args, child)
        walker.bind_type_parameters(node, child)
        walker.push_all(node.body, child, node)
    _push_defaults(walker, node.args, scope, node)
    walker.push_all(node.decorator_list, scope, node)


def _lambda(walker: Walker, node: ast.Lambda, scope: Scope) -> None:
    child = inner_scope(node, scope, "<lambda>")
    walker.enter(child, scope)
    walker.bind_parameters(node.args, child)
    walker.push(node.body, child, node)
    _push_defaults(walker, node.args, scope, node)


def _push_defaults(walker: Walker, args: ast.arguments, scope: Scope, parent: ast.AST) -> None:
    walker.push_all([default for default in args.kw_defaults if default is not None], scope, parent)
    walker.push_all(args.defaults, scope, parent)


def _class(walker: Walker, node: ast.ClassDef, scope: Scope) -> None:
    walker.bind(node.name, Binding(How.CLASS, node, scope), scope)
    child = inner_scope(node, scope, node.name)
    walker.tree.classes[node] = child
    walker.enter(child, scope)
    walker.bind_type_parameters(node, child)
    walker.push_all(node.body, child, node)
    walker.push_all([keyword.value for keyword in node.keywords], scope, node)
    walker.push_all(node.bases, scope, node)
    walker.push_all(node.decorator_list, scope, node)


def _comprehension(
    walker: Walker, node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp, scope: Scope
) -> None:
    child = inner_scope(node, scope, "<comprehension>")
    walker.enter(child, scope)
    if isinstance(node, ast.DictComp):
        walker.push(node.value, child, node)
        walker.push(node.key, child, node)
    else:
        walker.push(node.elt, child, node)
    for index, generator in reversed(list(enumerate(node.generators))):
        outer = scope if index == 0 else child
        child.others.append(generator)
        walker.push_all(generator.ifs, child, node)
        walker.bind_target(generator.target, How.FOR, generator.iter, child, outer, generator)
        walker.push(generator.iter, outer, node)
        walker.tree.parents[generator] = node


def _except(walker: Walker, node: ast.ExceptHandler, scope: Scope) -> None:
    if node.name:
        walker.bind(node.name, Binding(How.EXCEPT, node, scope, node.type), scope)
    walker.push_children(node, scope)


def _match_name(walker: Walker, node: ast.MatchAs | ast.MatchStar, scope: Scope) -> None:
    if node.name:
        walker.bind(node.name, Binding(How.MATCH, node, scope), scope)
    walker.push_children(node, scope)


def _match_mapping(walker: Walker, node: ast.MatchMapping, scope: Scope) -> None:
    if node.rest:
        walker.bind(node.rest, Binding(How.MATCH, node, scope), scope)
    walker.push_children(node, scope)


def _type_alias(walker: Walker, node: ast.AST, scope: Scope) -> None:
    name, value = getattr(node, "name", None), getattr(node, "value", None)
    if isinstance(name, ast.Name):
        walker.bind(name.id, Binding(How.TYPE, node, scope, value), scope)


def _leaf(_walker: Walker, _node: ast.AST, _scope: Scope) -> None:
    """Constants and operators have no children that matter."""


def _handlers() -> dict[type[ast.AST], Handler]:
    table: dict[type[ast.AST], Handler] = dict.fromkeys(_RECORDED, _recorded)
    table |= {
        ast.Name: _name,
        ast.Attribute: _attribute,
        ast.Subscript: _subscript,
        ast.Call: _call,
        ast.Assign: _assign,
        ast.AnnAssign: _annotated,
        ast.AugAssign: _augmented,
        ast.NamedExpr: _walrus,
        ast.For: _for,
        ast.AsyncFor: _for,
        ast.With: _with,
        ast.AsyncWith: _with,
        ast.Import: _import,
        ast.ImportFrom: _import_from,
        ast.Global: _global,
        ast.Nonlocal: _nonlocal,
        ast.FunctionDef: _function,
        ast.AsyncFunctionDef: _function,
        ast.Lambda: _lambda,
        ast.ClassDef: _class,
        ast.ListComp: _comprehension,
        ast.SetComp: _comprehension,
        ast.DictComp: _comprehension,
        ast.GeneratorExp: _comprehension,
        ast.ExceptHandler: _except,
        ast.MatchAs: _match_name,
        ast.MatchStar: _match_name,
        ast.MatchMapping: _match_mapping,
        **dict.fromkeys(
            (ast.Constant, ast.Pass, ast.Break, ast.Continue, ast.Load, ast.Store, ast.Del), _leaf
        ),
    }
    alias: type[ast.AST] | None = getattr(ast, "TypeAlias", None)
    if alias is not None:
        table[alias] = _type_alias
    return table


HANDLERS = _handlers()
