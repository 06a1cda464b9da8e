"""What bindings give to a variable: values, items, parameters, managers, exceptions."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flopod_compiler.knowledge.concurrency import entered, is_asyncio_manager, is_asyncio_type
from flopod_compiler.model import ProjectFunction
from flopod_compiler.names import Binding, How, Scope
from flopod_compiler.types.concurrency import TASK
from flopod_compiler.types.growing import Growth, is_empty
from flopod_compiler.types.known import binary
from flopod_compiler.types.model import MAPPINGS, Type, Types, element, item, of, union
from flopod_compiler.types.passed import passed

if TYPE_CHECKING:
    from flopod_compiler.types.infer import Inference

_ENTERS_ITSELF = frozenset({"contextlib.ExitStack", "contextlib.AsyncExitStack", "io.StringIO", "io.BytesIO"})


class Variables:
    """The types of variables, each the union over its bindings; `types` reads the expressions in them."""

    def __init__(self, types: Inference) -> None:
        self._types = types
        self._names = types.names
        self._annotations = types.annotations
        self._known: dict[tuple[Scope, str], Types] = {}
        self._open: set[tuple[Scope, str]] = set()

    def of(self, name: str, scope: Scope) -> Types:
        """The types of a name as seen from a scope: the union over its bindings."""
        owner, bindings = self._names.lookup(name, scope)
        if owner is None or owner.parent is None:
            return None
        key = (owner, name)
        if key not in self._known:
            self._open.add(key)
            self._known[key] = None
            tasks = self._known[key] = self._tasks(owner, bindings)
            if tasks is not None:
                bindings = [one for one in bindings if not self._is_open(one)]
            self._known[key] = self._bindings(owner, bindings)
            self._open.discard(key)
        return self._known[key]

    def _bindings(self, owner: Scope, bindings: list[Binding]) -> Types:
        for binding in bindings:
            if binding.annotation is not None and binding.how is not How.PARAMETER:
                return self._annotations.read(binding.annotation, owner)
        kept = [b for b in bindings if b.how is not How.DELETE and not _binds_none(b)]
        return union(*(self._binding(owner, binding) for binding in kept)) if kept else None

    def _binding(self, owner: Scope, binding: Binding) -> Types:
        if binding.how is How.PARAMETER:
            return self._parameter(owner, binding)
        if binding.how is How.ASSIGN and binding.value is not None:
            return self._grown(owner, binding) or self._types.of(binding.value, binding.scope)
        if (
            binding.how is How.AUGMENT
            and isinstance(binding.node, ast.AugAssign)
            and binding.value is not None
        ):
            return self._augmented(owner, binding)
        if binding.how in (How.UNPACK, How.FOR) and binding.value is not None:
            types = self._types.of(binding.value, binding.scope)
            types = element(types) if binding.how is How.FOR else types
            for index in binding.path:
                types = item(types, index) if index >= 0 else None
            return types
        if binding.how is How.WITH and binding.value is not None and not binding.path:
            return self._entered(binding.value, binding.scope)
        if binding.how is How.EXCEPT and isinstance(binding.node, ast.ExceptHandler):
            return self._exception(binding)
        return None

    def _is_open(self, binding: Binding) -> bool:
        """Whether a loop is over a variable whose types are being found: it adds nothing to them."""
        if binding.how is not How.FOR or not isinstance(binding.value, ast.Name):
            return False
        owner, _ = self._names.lookup(binding.value.id, binding.scope)
        return owner is not None and (owner, binding.value.id) in self._open

    def _tasks(self, owner: Scope, bindings: list[Binding]) -> Types:
        """What is known of a variable while its types are found: a task that a loop takes up again."""
        made = [one for one in bindings if one.how is How.ASSIGN and isinstance(one.value, ast.Call)]
        types = union(*(self._binding(owner, one) for one in made)) if made else None
        return types if types is not None and all(one.name == TASK for one in types) else None

    def _grown(self, owner: Scope, binding: Binding) -> Types:
        """A collection that begins empty and is filled with asyncio's objects, tasks as a rule."""
        if not is_empty(binding.value) or not owner.is_function:
            return None
        names = [name for name, bindings in owner.bindings.items() if binding in bindings]
        parents = self._names.tree_holding(owner).parents
        held = Growth(owner, names[0], parents, self._types.of).element()
        if held is None or not all(is_asyncio_type(one.name) for one in held):
            return None
        types = self._types.of(binding.value, binding.scope) if binding.value is not None else None
        return union(*(of(one.name, *_held(one, held)) for one in types)) if types is not None else None

    def _augmented(self, owner: Scope, binding: Binding) -> Types:
        """`x += y`: the other bindings of `x` combined with `y`."""
        assert isinstance(binding.node, ast.AugAssign) and isinstance(binding.node.target, ast.Name)
        assert binding.value is not None
        others = owner.bindings.get(binding.node.target.id, [])
        kept = [b for b in others if b.how not in (How.AUGMENT, How.DELETE, How.DECLARE)]
        left = union(*(self._binding(owner, one) for one in kept)) if kept else None
        return binary(binding.node.op, left, self._types.of(binding.value, binding.scope))

    def _parameter(self, owner: Scope, binding: Binding) -> Types:
        if not isinstance(binding.node, ast.arg):
            return None
        node = owner.node
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            if binding.node is node.args.vararg:
                return of("builtins.tuple", self._annotations.read(binding.annotation, owner))
            if binding.node is node.args.kwarg:
                values = self._annotations.read(binding.annotation, owner)
                return of("builtins.dict", of("builtins.str"), values)
        if binding.annotation is None:
            given = passed(owner, binding.node, self._names.tree_holding(owner).parents, self._types.of)
            return given or self._receiver(owner, binding.node)
        return self._annotations.read(binding.annotation, owner)

    def _receiver(self, owner: Scope, arg: ast.arg) -> Types:
        """`self` in a method: an instance of the class."""
        node, parent = owner.node, owner.parent
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or parent is None:
            return None
        positional = [*node.args.posonlyargs, *node.args.args]
        if not isinstance(parent.node, ast.ClassDef) or not positional or positional[0] is not arg:
            return None
        if any(_decorator(d) in ("staticmethod", "classmethod") for d in node.decorator_list):
            return None
        cls = self._names.class_of(parent.node, parent.parent)
        return frozenset({Type(f"{cls.module}:{cls.qualname}", (), cls)})

    def _entered(self, manager: ast.expr, scope: Scope) -> Types:
        """What `with` binds: the manager itself, where its class is known to give that."""
        types = self._types.of(manager, scope)
        if types and all(is_asyncio_manager(one.name) for one in types):
            return union(*(of(entered(one.name)) for one in types))
        return types if types and all(self._enters_itself(one) for one in types) else None

    def _enters_itself(self, one: Type) -> bool:
        if one.cls is None:
            return one.name in _ENTERS_ITSELF
        for name in ("__enter__", "__aenter__"):
            member = self._names.class_member(one.cls, name)
            if isinstance(member, ProjectFunction):
                last = member.node.body[-1]
                first = [*member.node.args.posonlyargs, *member.node.args.args][:1]
                value = last.value if isinstance(last, ast.Return) else None
                return isinstance(value, ast.Name) and bool(first) and value.id == first[0].arg
        return False

    def _exception(self, binding: Binding) -> Types:
        assert isinstance(binding.node, ast.ExceptHandler)
        if not isinstance(binding.value, ast.Name | ast.Attribute):
            return of("builtins.Exception")
        return self._types.instance(self._names.resolve(binding.value, binding.scope))


def _held(collection: Type, held: Types) -> tuple[Types, ...]:
    return (None, held) if collection.name in MAPPINGS else (held,)


def _decorator(expr: ast.expr) -> str:
    return expr.id if isinstance(expr, ast.Name) else getattr(expr, "attr", "")


def _binds_none(binding: Binding) -> bool:
    return binding.how is How.ASSIGN and binding.value is not None and is_none(binding.value)


def is_none(expr: ast.expr) -> bool:
    """Whether an expression is the constant None."""
    return isinstance(expr, ast.Constant) and expr.value is None
