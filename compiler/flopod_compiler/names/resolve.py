"""Whole-program name resolution: from an expression and its scope to what it means."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flopod_compiler.model import (
    External,
    FunctionNode,
    Local,
    ProjectClass,
    ProjectModule,
    Symbol,
    Unknown,
)
from flopod_compiler.names.bindings import (
    BUILTINS,
    IMPORTS,
    MODULE_NAMES,
    describe,
    distinct,
    effective,
    in_words,
    is_definition,
    real,
)
from flopod_compiler.names.classes import Classes
from flopod_compiler.names.definitions import Definitions
from flopod_compiler.names.imports import absolute_name
from flopod_compiler.names.scopes import Binding, How, Scope

if TYPE_CHECKING:
    from flopod_compiler.program import Program

_MAX_HOPS = 24


class Names(Definitions):
    """Answers what names and attribute chains of a project mean. Everything is computed once, on demand."""

    def __init__(self, program: Program) -> None:
        super().__init__(program)
        self.classes = Classes(self)
        self._active: set[tuple[str, str]] = set()
        self._meanings: dict[tuple[Scope, str], tuple[Symbol, ...]] = {}

    # --- resolution -------------------------------------------------------------------------------

    def resolve(self, expr: ast.expr, where: FunctionNode | Scope) -> Symbol:
        """What an expression means: one symbol, or `Unknown` with the reason."""
        found = self.candidates(expr, where)
        if len(found) == 1:
            return found[0]
        if all(isinstance(one, Local) for one in found):
            return found[0]
        names = " or ".join(describe(one) for one in found)
        return Unknown(f"it may be {names}")

    def candidates(self, expr: ast.expr, where: FunctionNode | Scope, hops: int = 0) -> tuple[Symbol, ...]:
        """Everything an expression may mean; more than one only where bindings are conditional."""
        scope = where if isinstance(where, Scope) else self.scope_at(expr, where)
        if isinstance(expr, ast.Name):
            return self.named(expr.id, scope, hops)
        if isinstance(expr, ast.Attribute):
            return self._dotted(expr, scope, hops)
        if isinstance(expr, ast.IfExp):
            return distinct(
                [*self.candidates(expr.body, scope, hops), *self.candidates(expr.orelse, scope, hops)]
            )
        if isinstance(expr, ast.NamedExpr):
            return self.candidates(expr.value, scope, hops)
        if isinstance(expr, ast.Subscript):
            return self._subscripted(expr, scope, hops)
        return (Unknown(in_words(expr)),)

    def _dotted(self, expr: ast.Attribute, scope: Scope, hops: int) -> tuple[Symbol, ...]:
        """An attribute chain, from its first name on; a loop, since chains may be of any length."""
        chain: list[str] = []
        root: ast.expr = expr
        while isinstance(root, ast.Attribute):
            chain.append(root.attr)
            root = root.value
        found = self.candidates(root, scope, hops)
        for name in reversed(chain):
            if all(isinstance(one, Unknown) for one in found):
                break
            found = distinct([self.member(one, name, hops) for one in found])
        return found

    def _subscripted(self, expr: ast.Subscript, scope: Scope, hops: int) -> tuple[Symbol, ...]:
        """`Box[int]` is the class; any other subscript is a value."""
        base = self.resolve(expr.value, scope) if hops <= _MAX_HOPS else Unknown("too far")
        if isinstance(base, ProjectClass) or (
            isinstance(base, External) and base.qualified.partition(".")[0] in ("builtins", "collections")
        ):
            return (base,)
        return (Unknown("it is looked up at run time"),)

    def lookup(self, name: str, scope: Scope) -> tuple[Scope | None, list[Binding]]:
        """The scope that a name is bound in, by Python's rules, and its bindings there."""
        current: Scope | None = scope
        first = True
        while current is not None:
            if name in current.globals:
                return self._module_bindings(name, scope)
            visible = first or not isinstance(current.node, ast.ClassDef)
            if visible and name not in current.nonlocals:
                found = current.bindings.get(name)
                if found is not None:
                    return current, found
            if not current.is_comprehension:
                first = False
            current = current.parent
        return None, []

    def named(self, name: str, scope: Scope, hops: int = 0) -> tuple[Symbol, ...]:
        """Everything a plain name may mean in a scope."""
        if self._active or hops:
            return self._named(name, scope, hops)
        found = self._meanings.get((scope, name))
        if found is None:
            found = self._meanings[scope, name] = self._named(name, scope, 0)
        return found

    def _named(self, name: str, scope: Scope, hops: int) -> tuple[Symbol, ...]:
        owner, bindings = self.lookup(name, scope)
        if owner is None:
            return (self._unbound(name, scope),)
        if owner.parent is None:
            return self._module_name(owner, name, bindings, hops)
        found = self._bound(name, owner, bindings, hops)
        if isinstance(owner.node, ast.ClassDef) and found == (Local(name),):
            return (Unknown(f"`{name}` is a variable of the class body"),)
        return found

    def global_member(self, module: str, name: str, hops: int = 0) -> tuple[Symbol, ...]:
        """Everything the attribute `name` of a project module may mean."""
        tree = self.module(module)
        if tree is not None:
            bindings = tree.root.bindings.get(name)
            if bindings:
                return self._module_name(tree.root, name, bindings, hops)
        if self.is_module(f"{module}.{name}"):
            return (ProjectModule(f"{module}.{name}"),)
        if tree is None:
            return (Unknown(f"the folder {module} has no module {name}"),)
        starred = self._starred(tree.root, name, hops)
        if starred is not None:
            return starred
        if name in MODULE_NAMES:
            return (self.value(module, name, None),)
        return (Unknown(f"the module {module} defines no `{name}`"),)

    def member(self, base: Symbol, name: str, hops: int = 0) -> Symbol:
        """What the attribute `name` of a symbol means."""
        if isinstance(base, External):
            return External(f"{base.qualified}.{name}")
        if isinstance(base, ProjectModule):
            found = self.global_member(base.name, name, hops + 1)
            return found[0] if len(found) == 1 else Unknown(f"`{base.name}.{name}` has several definitions")
        if isinstance(base, ProjectClass):
            return self.class_member(base, name) or Unknown(f"the class {base.qualname} defines no `{name}`")
        if isinstance(base, Unknown):
            return base
        return Unknown(f"the attribute `{name}` of {describe(base)}")

    # --- classes ----------------------------------------------------------------------------------

    def class_member(self, cls: ProjectClass, name: str) -> Symbol | None:
        """A method or nested class that a class has or inherits; None when it has none by that name."""
        return self.classes.member(cls, name)

    def own_member(self, cls: ProjectClass, name: str) -> Symbol | None:
        """What a class body itself binds to a name."""
        return self.classes.own_member(cls, name)

    def mro(self, cls: ProjectClass) -> tuple[ProjectClass | External | Unknown, ...]:
        """A class and its bases, nearest first."""
        return self.classes.mro(cls)

    # --- the pieces -------------------------------------------------------------------------------

    def _module_bindings(self, name: str, scope: Scope) -> tuple[Scope | None, list[Binding]]:
        root = self.root(scope.module.name)
        return root, root.bindings.get(name, [])

    def _unbound(self, name: str, scope: Scope) -> Symbol:
        root = self.root(scope.module.name)
        starred = self._starred(root, name, 0)
        if starred is not None:
            return starred[0]
        if name in BUILTINS:
            return External(f"builtins.{name}")
        if name in MODULE_NAMES:
            return self.value(scope.module.name, name, None)
        return Unknown(f"the name `{name}` is not defined")

    def _starred(self, root: Scope, name: str, hops: int) -> tuple[Symbol, ...] | None:
        """What `from m import *` may give to a name that nothing else binds."""
        if not root.stars or name.startswith("_") or hops > _MAX_HOPS:
            return None
        if hops or self._active:
            return self._from_stars(root, name, hops)
        module = root.module.name
        return self.program.once(
            ("stars", module, name), lambda part: Names(part)._from_all_stars(module, name)
        )

    def _from_all_stars(self, module: str, name: str) -> tuple[Symbol, ...] | None:
        return self._from_stars(self.root(module), name, 0)

    def _from_stars(self, root: Scope, name: str, hops: int) -> tuple[Symbol, ...] | None:
        for node in reversed(root.stars):
            base = absolute_name(root.module, node)
            if base is not None and self.is_module(base):
                found = self.global_member(base, name, hops + 1)
                if not isinstance(found[0], Unknown):
                    return found
        if name not in BUILTINS:
            outside = [node.module or "" for node in root.stars]
            return (Unknown(f"`{name}` may come from `from {outside[-1]} import *`"),)
        return None

    def _module_name(self, root: Scope, name: str, bindings: list[Binding], hops: int) -> tuple[Symbol, ...]:
        module = root.module.name
        key = (module, name)
        if hops > _MAX_HOPS or key in self._active:
            return (Unknown(f"`{name}` is imported in a circle"),)
        if not bindings:
            return (self.value(module, name, None),)
        self._active.add(key)
        try:
            found = self._bound(name, root, bindings, hops)
        finally:
            self._active.discard(key)
        if any(isinstance(one, Local) for one in found):
            values = [b.value for b in bindings if b.how is How.ASSIGN and not b.path]
            once = values[0] if len(values) == 1 == len(real(bindings)) else None
            return (self.value(module, name, once),)
        return found

    def _bound(self, name: str, owner: Scope, bindings: list[Binding], hops: int) -> tuple[Symbol, ...]:
        """The meanings of a bound name: definitions, imports and plain aliases; else `Local`."""
        kept = effective(bindings, owner)
        if not kept or hops > _MAX_HOPS:
            return (Local(name),)
        found: list[Symbol] = []
        for binding in kept:
            meanings = self._meaning(name, owner, binding, hops)
            if meanings is None:
                return (Local(name),)
            found.extend(meanings)
        if all(binding.how in IMPORTS for binding in kept) and isinstance(found[0], External):
            # alternatives of one import, for another version or platform: the first is the intended one
            return (found[0],)
        return distinct(found)

    def meaning(self, name: str, owner: Scope, binding: Binding) -> tuple[Symbol, ...] | None:
        """What one binding makes of a name; None when that is a value and no definition."""
        return self._meaning(name, owner, binding, 0)

    def _meaning(self, name: str, owner: Scope, binding: Binding, hops: int) -> tuple[Symbol, ...] | None:
        node = binding.node
        if binding.how is How.DEFINE and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            return (self.function(node, owner),)
        if binding.how is How.CLASS and isinstance(node, ast.ClassDef):
            return (self.class_of(node, owner),)
        if binding.how is How.IMPORT and isinstance(node, ast.alias):
            whole = node.name if node.asname else node.name.partition(".")[0]
            return (self._module_symbol(whole),)
        if binding.how is How.IMPORT_FROM and isinstance(node, ast.alias):
            return self._import_from(owner, node, hops)
        if binding.how is How.ASSIGN and binding.value is not None and not binding.path:
            return self._alias(name, binding, hops)
        return None

    def _alias(self, name: str, binding: Binding, hops: int) -> tuple[Symbol, ...] | None:
        """What `f = m.f` makes of `f`; None when the value is not a name of a definition."""
        value = binding.value
        if not isinstance(value, ast.Name | ast.Attribute | ast.IfExp):
            return None
        if isinstance(value, ast.Name) and value.id == name:
            return None
        key = (f"{id(binding)}", name)
        if key in self._active:
            return None
        self._active.add(key)
        try:
            found = self.candidates(value, binding.scope, hops + 1)
        finally:
            self._active.discard(key)
        return found if all(is_definition(one) for one in found) else None

    def _module_symbol(self, name: str) -> Symbol:
        return ProjectModule(name) if self.is_module(name) else External(name)

    def _import_from(self, owner: Scope, alias: ast.alias, hops: int) -> tuple[Symbol, ...]:
        statement = self.tree_holding(owner).parents[alias]
        assert isinstance(statement, ast.ImportFrom)
        base = absolute_name(owner.module, statement)
        if base is None:
            return (Unknown(f"the relative import of `{alias.name}` leaves the project"),)
        if not base:
            return (self._module_symbol(alias.name),)
        if self.is_module(base):
            return self.global_member(base, alias.name, hops + 1)
        if statement.level == 0 and self.program.module(base.partition(".")[0]) is not None:
            return (Unknown(f"the project has no module {base}"),)
        return (External(f"{base}.{alias.name}"),)
