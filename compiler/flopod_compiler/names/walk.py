"""From a syntax tree to scopes: one iterative walk a function, or a module's top level.

The walk collects everything that later passes ask for, so that none walks a tree again, and no depth of
nesting can exhaust the stack.
"""

from __future__ import annotations

from flopod_compiler.model import FunctionNode, SourceModule
from flopod_compiler.names.handlers import HANDLERS
from flopod_compiler.names.scopes import Scope, Tree, inner_scope
from flopod_compiler.names.walker import Walker


def module_tree(module: SourceModule) -> Tree:
    """The scopes of a module's top level and class bodies; bodies of functions are left out."""
    tree = Tree(Scope(module.tree, None, module, ""))
    Walker(tree, HANDLERS, deep=False).run(module.tree.body, tree.root)
    _join_nonlocals(tree)
    return tree


def function_tree(node: FunctionNode, parent: Scope) -> Tree:
    """The scopes of a function and of everything nested in it, below the scope that holds it."""
    tree = Tree(inner_scope(node, parent, node.name))
    walker = Walker(tree, HANDLERS, deep=True)
    walker.bind_parameters(node.args, tree.root)
    walker.bind_type_parameters(node, tree.root)
    walker.run(node.body, tree.root)
    _join_nonlocals(tree)
    return tree


def _join_nonlocals(tree: Tree) -> None:
    """Bindings under `nonlocal` are bindings of the variable that it names."""
    for scope in tree.scopes:
        for name in sorted(scope.nonlocals):
            owner = scope.parent
            while owner is not None and (name not in owner.bindings or name in owner.nonlocals):
                owner = owner.parent
            if owner is not None and owner.is_function:
                owner.bindings[name].extend(scope.bindings.get(name, ()))
