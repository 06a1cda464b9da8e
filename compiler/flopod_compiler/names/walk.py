"""From a syntax tree to scopes: one iterative walk a function, or a module's top level.

The walk collects everything that later passes ask for, so that none walks a tree again, and no depth of
nesting can exhaust the stack.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from flopod_compiler.model import FunctionNode, SourceModule
from flopod_compiler.names.scopes import Binding, How, Scope, Tree, qualname_in

MAX_DEPTH = 180
"""Levels of nesting that the recursive parts of the compiler are allowed to descend."""

_Item = tuple[ast.AST, Scope, ast.AST | None, int]
_Handler = Callable[["_Walker", Any, Scope], None]

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
)


def module_tree(module: SourceModule) -> Tree:
    """The scopes of a module's top level and class bodies; bodies of functions are left out."""
    tree = Tree(Scope(module.tree, None, module, ""))
    _Walker(tree, deep=False).run(module.tree.body, tree.root)
    return tree


def function_tree(node: FunctionNode, parent: Scope) -> Tree:
    """The scopes of a function and of everything nested in it, below the scope that holds it."""
    tree = Tree(_function_scope(node, parent))
    walker = _Walker(tree, deep=True)
    walker.bind_parameters(node.args, tree.root)
    walker.bind_type_parameters(node, tree.root)
    walker.run(node.body, tree.root)
    return tree


def _function_scope(node: FunctionNode, parent: Scope) -> Scope:
    return Scope(node, parent, parent.module, qualname_in(parent, node.name))


class _Walker:
    """Walks statements with an explicit stack, in source order."""

    def __init__(self, tree: Tree, *, deep: bool) -> None:
        self.tree = tree
        self.deep = deep
        self.stack: list[_Item] = []
        self.depth = 0

    def run(self, body: list[ast.stmt], scope: Scope) -> None:
        self.tree.scopes.append(scope)
        self.stack = [(node, scope, None, 0) for node in reversed(body)]
        inner, parents, root = self.tree.inner, self.tree.parents, self.tree.root
        handlers = _HANDLERS
        while self.stack:
            node, scope, parent, depth = self.stack.pop()
            if parent is not None:
                parents[node] = parent
            if scope is not root:
                inner[node] = scope
            if depth > MAX_DEPTH and root.too_deep is None:
                root.too_deep = node
            self.depth = depth + 1
            handler = handlers.get(node.__class__)
            if handler is None:
                self.push_children(node, scope)
            else:
                handler(self, node, scope)

        _join_nonlocals(self.tree)

    # --- pushing: last pushed is walked first, so children go on in reverse

    def push(self, node: ast.AST | None, scope: Scope, parent: ast.AST) -> None:
        if node is not None:
            self.stack.append((node, scope, parent, self.depth))

    def push_all(self, nodes: list[ast.expr] | list[ast.stmt], scope: Scope, parent: ast.AST) -> None:
        depth = self.depth
        for node in reversed(nodes):
            self.stack.append((node, scope, parent, depth))

    def push_children(self, node: ast.AST, scope: Scope) -> None:
        depth = self.depth
        children: list[_Item] = []
        for name in node._fields:
            value = getattr(node, name, None)
            if isinstance(value, list):
                for item in value:
                    if isinstance(item, ast.AST):
                        children.append((item, scope, node, depth))
            elif isinstance(value, ast.AST):
                children.append((value, scope, node, depth))
        children.reverse()
        self.stack.extend(children)

    # --- bindings

    def bind(self, name: str, binding: Binding, scope: Scope) -> None:
        found = scope.bindings.get(name)
        if found is None:
            scope.bindings[name] = [binding]
        else:
            found.append(binding)

    def bind_parameters(self, args: ast.arguments, scope: Scope) -> None:
        for arg in (*args.posonlyargs, *args.args, args.vararg, *args.kwonlyargs, args.kwarg):
            if arg is not None:
                self.bind(arg.arg, Binding(How.PARAMETER, arg, scope, annotation=arg.annotation), scope)

    def bind_type_parameters(self, node: ast.AST, scope: Scope) -> None:
        for parameter in getattr(node, "type_params", ()):
            self.bind(parameter.name, Binding(How.TYPE, parameter, scope), scope)

    def bind_target(
        self,
        target: ast.expr,
        how: How,
        value: ast.expr | None,
        scope: Scope,
        seen_from: Scope,
        statement: ast.AST,
        path: tuple[int, ...] = (),
    ) -> None:
        """Bind the names of a target; its attributes and subscripts are walked as code."""
        stack: list[tuple[ast.expr, tuple[int, ...]]] = [(target, path)]
        while stack:
            part, where = stack.pop()
            self.tree.parents[part] = statement
            if scope is not self.tree.root:
                self.tree.inner[part] = scope
            if isinstance(part, ast.Name):
                kind = How.UNPACK if where and how is How.ASSIGN else how
                self.bind(part.id, Binding(kind, statement, seen_from, value, path=where), scope)
            elif isinstance(part, ast.Tuple | ast.List):
                stack.extend((item, (*where, index)) for index, item in enumerate(part.elts))
            elif isinstance(part, ast.Starred):
                stack.append((part.value, (*where, -1)))
            else:
                self.push(part, scope, statement)


def _name(walker: _Walker, node: ast.Name, scope: Scope) -> None:
    if isinstance(node.ctx, ast.Load):
        scope.loads.append(node)
    else:
        walker.bind(node.id, Binding(How.DELETE, node, scope), scope)


def _attribute(walker: _Walker, node: ast.Attribute, scope: Scope) -> None:
    if isinstance(node.ctx, ast.Load):
        scope.attributes.append(node)
    else:
        scope.stores.append(node)
    walker.push(node.value, scope, node)


def _subscript(walker: _Walker, node: ast.Subscript, scope: Scope) -> None:
    (scope.others if isinstance(node.ctx, ast.Load) else scope.stores).append(node)
    walker.push(node.slice, scope, node)
    walker.push(node.value, scope, node)


def _call(walker: _Walker, node: ast.Call, scope: Scope) -> None:
    scope.calls.append(node)
    walker.push_all([keyword.value for keyword in node.keywords], scope, node)
    walker.push_all(node.args, scope, node)
    walker.push(node.func, scope, node)


def _recorded(walker: _Walker, node: ast.AST, scope: Scope) -> None:
    scope.others.append(node)
    walker.push_children(node, scope)


def _assign(walker: _Walker, node: ast.Assign, scope: Scope) -> None:
    for target in reversed(node.targets):
        walker.bind_target(target, How.ASSIGN, node.value, scope, scope, node)
    walker.push(node.value, scope, node)


def _annotated(walker: _Walker, node: ast.AnnAssign, scope: Scope) -> None:
    if isinstance(node.target, ast.Name):
        how = How.ASSIGN if node.value is not None else How.DECLARE
        binding = Binding(how, node, scope, node.value, node.annotation)
        walker.bind(node.target.id, binding, scope)
        walker.tree.parents[node.target] = node
    else:
        walker.push(node.target, scope, node)
    walker.push(node.value, scope, node)


def _augmented(walker: _Walker, node: ast.AugAssign, scope: Scope) -> None:
    scope.others.append(node)
    walker.push(node.value, scope, node)
    if isinstance(node.target, ast.Name):
        walker.bind(node.target.id, Binding(How.AUGMENT, node, scope, node.value), scope)
        walker.tree.parents[node.target] = node
    else:
        walker.push(node.target, scope, node)


def _walrus(walker: _Walker, node: ast.NamedExpr, scope: Scope) -> None:
    owner = scope
    while owner.is_comprehension and owner.parent is not None:
        owner = owner.parent
    walker.bind(node.target.id, Binding(How.ASSIGN, node, scope, node.value), owner)
    walker.push(node.value, scope, node)


def _for(walker: _Walker, node: ast.For | ast.AsyncFor, scope: Scope) -> None:
    scope.others.append(node)
    walker.push_all(node.orelse, scope, node)
    walker.push_all(node.body, scope, node)
    walker.bind_target(node.target, How.FOR, node.iter, scope, scope, node)
    walker.push(node.iter, scope, node)


def _with(walker: _Walker, node: ast.With | ast.AsyncWith, scope: Scope) -> None:
    scope.others.append(node)
    walker.push_all(node.body, scope, node)
    for item in reversed(node.items):
        if item.optional_vars is not None:
            walker.bind_target(item.optional_vars, How.WITH, item.context_expr, scope, scope, node)
        walker.push(item.context_expr, scope, node)


def _import(walker: _Walker, node: ast.Import, scope: Scope) -> None:
    for alias in node.names:
        name = alias.asname or alias.name.partition(".")[0]
        walker.bind(name, Binding(How.IMPORT, alias, scope), scope)


def _import_from(walker: _Walker, node: ast.ImportFrom, scope: Scope) -> None:
    for alias in node.names:
        if alias.name == "*":
            scope.stars.append(node)
        else:
            walker.tree.parents[alias] = node
            walker.bind(alias.asname or alias.name, Binding(How.IMPORT_FROM, alias, scope), scope)


def _global(_walker: _Walker, node: ast.Global, scope: Scope) -> None:
    scope.globals.update(node.names)
    scope.others.append(node)


def _nonlocal(_walker: _Walker, node: ast.Nonlocal, scope: Scope) -> None:
    scope.nonlocals.update(node.names)


def _function(walker: _Walker, node: FunctionNode, scope: Scope) -> None:
    walker.bind(node.name, Binding(How.DEFINE, node, scope), scope)
    walker.tree.functions[node] = scope
    if walker.deep:
        child = _function_scope(node, scope)
        _enter(walker, child, scope)
        walker.bind_parameters(node.args, child)
        walker.bind_type_parameters(node, child)
        walker.push_all(node.body, child, node)
    _push_defaults(walker, node.args, scope, node)
    walker.push_all(node.decorator_list, scope, node)


def _join_nonlocals(tree: Tree) -> None:
    """Bindings under `nonlocal` are bindings of the variable that it names."""
    for scope in tree.scopes:
        for name in sorted(scope.nonlocals):
            owner = scope.parent
            while owner is not None and (name not in owner.bindings or name in owner.nonlocals):
                owner = owner.parent
            if owner is not None and owner.is_function:
                owner.bindings[name].extend(scope.bindings.get(name, ()))


def _lambda(walker: _Walker, node: ast.Lambda, scope: Scope) -> None:
    child = Scope(node, scope, scope.module, qualname_in(scope, "<lambda>"))
    _enter(walker, child, scope)
    walker.bind_parameters(node.args, child)
    walker.push(node.body, child, node)
    _push_defaults(walker, node.args, scope, node)


def _push_defaults(walker: _Walker, args: ast.arguments, scope: Scope, parent: ast.AST) -> None:
    walker.push_all([default for default in args.kw_defaults if default is not None], scope, parent)
    walker.push_all(args.defaults, scope, parent)


def _class(walker: _Walker, node: ast.ClassDef, scope: Scope) -> None:
    walker.bind(node.name, Binding(How.CLASS, node, scope), scope)
    child = Scope(node, scope, scope.module, qualname_in(scope, node.name))
    walker.tree.classes[node] = child
    _enter(walker, child, scope)
    walker.bind_type_parameters(node, child)
    walker.push_all(node.body, child, node)
    walker.push_all([keyword.value for keyword in node.keywords], scope, node)
    walker.push_all(node.bases, scope, node)
    walker.push_all(node.decorator_list, scope, node)


def _comprehension(
    walker: _Walker, node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp, scope: Scope
) -> None:
    child = Scope(node, scope, scope.module, qualname_in(scope, "<comprehension>"))
    _enter(walker, child, scope)
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


def _enter(walker: _Walker, child: Scope, parent: Scope) -> None:
    parent.children.append(child)
    walker.tree.scopes.append(child)


def _except(walker: _Walker, node: ast.ExceptHandler, scope: Scope) -> None:
    if node.name:
        walker.bind(node.name, Binding(How.EXCEPT, node, scope, node.type), scope)
    walker.push_children(node, scope)


def _match_name(walker: _Walker, node: ast.MatchAs | ast.MatchStar, scope: Scope) -> None:
    if node.name:
        walker.bind(node.name, Binding(How.MATCH, node, scope), scope)
    walker.push_children(node, scope)


def _match_mapping(walker: _Walker, node: ast.MatchMapping, scope: Scope) -> None:
    if node.rest:
        walker.bind(node.rest, Binding(How.MATCH, node, scope), scope)
    walker.push_children(node, scope)


def _type_alias(walker: _Walker, node: ast.AST, scope: Scope) -> None:
    name, value = getattr(node, "name", None), getattr(node, "value", None)
    if isinstance(name, ast.Name):
        walker.bind(name.id, Binding(How.TYPE, node, scope, value), scope)


def _leaf(_walker: _Walker, _node: ast.AST, _scope: Scope) -> None:
    """Constants and operators have no children that matter."""


def _handlers() -> dict[type[ast.AST], _Handler]:
    table: dict[type[ast.AST], _Handler] = dict.fromkeys(_RECORDED, _recorded)
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


_HANDLERS = _handlers()
