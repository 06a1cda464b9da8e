"""From expressions to the types their values may have, within one function and without flow."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from flopod_compiler.knowledge.author import ACTIVITY, ATTEMPT, WAIT_FOR, canonical
from flopod_compiler.knowledge.concurrency import entered, is_asyncio_manager, is_asyncio_type
from flopod_compiler.model import External, Local, ModuleValue, ProjectClass, ProjectFunction, Symbol
from flopod_compiler.names import Binding, How, Names, Scope
from flopod_compiler.types.annotations import Annotations
from flopod_compiler.types.classes import ClassTypes
from flopod_compiler.types.concurrency import FUTURE, TASK, asyncio_method_result, asyncio_result, awaited
from flopod_compiler.types.growing import Growth, is_empty
from flopod_compiler.types.known import binary, constructed, method_result, returned
from flopod_compiler.types.model import AWAITABLE, ITERATOR, MAPPINGS, Type, Types, element, item, of, union
from flopod_compiler.types.passed import passed

_MAX_DEPTH = 40
_COMPREHENSIONS = {
    ast.ListComp: "builtins.list",
    ast.SetComp: "builtins.set",
    ast.GeneratorExp: ITERATOR,
}
_ENTERS_ITSELF = frozenset({"contextlib.ExitStack", "contextlib.AsyncExitStack", "io.StringIO", "io.BytesIO"})
_DISPLAYS = {ast.List: "builtins.list", ast.Set: "builtins.set"}


class Inference:
    """Infers types on demand; every expression stands in one scope, so its result is kept by node."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self.annotations = Annotations(names)
        self.classes = ClassTypes(names, self.annotations)
        self._known: dict[ast.expr, Types] = {}
        self._variables: dict[tuple[Scope, str], Types] = {}
        self._open: set[tuple[Scope, str]] = set()
        self._depth = 0

    def of(self, expr: ast.expr, scope: Scope) -> Types:
        """The types an expression may have, None left out; unknown when any of them is."""
        if expr in self._known:
            return self._known[expr]
        if self._depth > _MAX_DEPTH:
            return None
        self._known[expr] = None
        self._depth += 1
        try:
            reader = _READERS.get(type(expr))
            found = reader(self, expr, scope) if reader is not None else None
        finally:
            self._depth -= 1
        self._known[expr] = found
        return found

    def variable(self, name: str, scope: Scope) -> Types:
        """The types of a name as seen from a scope: the union over its bindings."""
        owner, bindings = self.names.lookup(name, scope)
        if owner is None or owner.parent is None:
            return None
        key = (owner, name)
        if key not in self._variables:
            self._open.add(key)
            self._variables[key] = None
            tasks = self._variables[key] = self._tasks(owner, bindings)
            if tasks is not None:
                bindings = [one for one in bindings if not self._is_open(one)]
            self._variables[key] = self._bindings(owner, bindings)
            self._open.discard(key)
        return self._variables[key]

    def symbol(self, symbol: Symbol) -> Types:
        """The types of what a symbol names, when it names a value."""
        if isinstance(symbol, ModuleValue):
            tree = self.names.module(symbol.module)
            if tree is None:
                return None
            for binding in tree.root.bindings.get(symbol.name, ()):
                if binding.annotation is not None:
                    return self.annotations.read(binding.annotation, tree.root)
            return self.of(symbol.value, tree.root) if symbol.value is not None else None
        return None

    def awaited(self, types: Types) -> Types:
        """What awaiting a value of these types gives."""
        return awaited(types)

    def result(self, function: ProjectFunction) -> Types:
        """What calling a project function gives, by its return annotation; a coroutine for `async def`."""
        scope = self.names.scope(function.node).parent
        found = self.annotations.read(function.node.returns, scope) if scope is not None else None
        if found is None and function.node.returns is not None and function.owner is not None:
            found = _self_type(function)
        is_generator = any(isinstance(one, ast.Yield) for one in self.names.scope(function.node).others)
        return of(AWAITABLE, found) if function.is_async and not is_generator else found

    # --- bindings ---------------------------------------------------------------------------------

    def _bindings(self, owner: Scope, bindings: list[Binding]) -> Types:
        for binding in bindings:
            if binding.annotation is not None and binding.how is not How.PARAMETER:
                return self.annotations.read(binding.annotation, owner)
        kept = [b for b in bindings if b.how is not How.DELETE and not _is_none(b)]
        return union(*(self._binding(owner, binding) for binding in kept)) if kept else None

    def _binding(self, owner: Scope, binding: Binding) -> Types:
        if binding.how is How.PARAMETER:
            return self._parameter(owner, binding)
        if binding.how is How.ASSIGN and binding.value is not None:
            return self._grown(owner, binding) or self.of(binding.value, binding.scope)
        if (
            binding.how is How.AUGMENT
            and isinstance(binding.node, ast.AugAssign)
            and binding.value is not None
        ):
            return self._augmented(owner, binding)
        if binding.how in (How.UNPACK, How.FOR) and binding.value is not None:
            types = self.of(binding.value, binding.scope)
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
        owner, _ = self.names.lookup(binding.value.id, binding.scope)
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
        parents = self.names.tree_holding(owner).parents
        held = Growth(owner, names[0], parents, self.of).element()
        if held is None or not all(is_asyncio_type(one.name) for one in held):
            return None
        types = self.of(binding.value, binding.scope) if binding.value is not None else None
        return union(*(of(one.name, *_held(one, held)) for one in types)) if types is not None else None

    def _augmented(self, owner: Scope, binding: Binding) -> Types:
        """`x += y`: the other bindings of `x` combined with `y`."""
        assert isinstance(binding.node, ast.AugAssign) and isinstance(binding.node.target, ast.Name)
        assert binding.value is not None
        others = owner.bindings.get(binding.node.target.id, [])
        kept = [b for b in others if b.how not in (How.AUGMENT, How.DELETE, How.DECLARE)]
        left = union(*(self._binding(owner, one) for one in kept)) if kept else None
        return binary(binding.node.op, left, self.of(binding.value, binding.scope))

    def _parameter(self, owner: Scope, binding: Binding) -> Types:
        if not isinstance(binding.node, ast.arg):
            return None
        node = owner.node
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            if binding.node is node.args.vararg:
                return of("builtins.tuple", self.annotations.read(binding.annotation, owner))
            if binding.node is node.args.kwarg:
                values = self.annotations.read(binding.annotation, owner)
                return of("builtins.dict", of("builtins.str"), values)
        if binding.annotation is None:
            given = passed(owner, binding.node, self.names.tree_holding(owner).parents, self.of)
            return given or self._receiver(owner, binding.node)
        return self.annotations.read(binding.annotation, owner)

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
        cls = self.names.class_of(parent.node, parent.parent)
        return frozenset({Type(f"{cls.module}:{cls.qualname}", (), cls)})

    def _entered(self, manager: ast.expr, scope: Scope) -> Types:
        """What `with` binds: the manager itself, where its class is known to give that."""
        types = self.of(manager, scope)
        if types and all(is_asyncio_manager(one.name) for one in types):
            return union(*(of(entered(one.name)) for one in types))
        return types if types and all(self._enters_itself(one) for one in types) else None

    def _enters_itself(self, one: Type) -> bool:
        if one.cls is None:
            return one.name in _ENTERS_ITSELF
        for name in ("__enter__", "__aenter__"):
            member = self.names.class_member(one.cls, name)
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
        return self._instance(self.names.resolve(binding.value, binding.scope))

    def _instance(self, symbol: Symbol) -> Types:
        if isinstance(symbol, ProjectClass):
            return frozenset({Type(f"{symbol.module}:{symbol.qualname}", (), symbol)})
        return of(symbol.qualified) if isinstance(symbol, External) else None

    # --- expressions ------------------------------------------------------------------------------

    def _constant(self, expr: ast.Constant, _scope: Scope) -> Types:
        return of(f"builtins.{type(expr.value).__name__}")

    def _text(self, _expr: ast.expr, _scope: Scope) -> Types:
        return of("builtins.str")

    def _truth(self, _expr: ast.expr, _scope: Scope) -> Types:
        return of("builtins.bool")

    def _display(self, expr: ast.List | ast.Set, scope: Scope) -> Types:
        return of(_DISPLAYS[type(expr)], self._elements(expr.elts, scope))

    def _elements(self, items: list[ast.expr], scope: Scope) -> Types:
        if not items:
            return None
        return union(
            *(
                element(self.of(one.value, scope)) if isinstance(one, ast.Starred) else self.of(one, scope)
                for one in items
            )
        )

    def _tuple(self, expr: ast.Tuple, scope: Scope) -> Types:
        if any(isinstance(one, ast.Starred) for one in expr.elts):
            return of("builtins.tuple", self._elements(expr.elts, scope))
        return of("builtins.tuple", *(self.of(one, scope) for one in expr.elts))

    def _dict(self, expr: ast.Dict, scope: Scope) -> Types:
        if not expr.keys or any(key is None for key in expr.keys):
            return of("builtins.dict")
        keys = union(*(self.of(key, scope) for key in expr.keys if key is not None))
        return of("builtins.dict", keys, union(*(self.of(value, scope) for value in expr.values)))

    def _comprehension(self, expr: ast.ListComp | ast.SetComp | ast.GeneratorExp, _scope: Scope) -> Types:
        return of(_COMPREHENSIONS[type(expr)], self.of(expr.elt, self.names.scope(expr)))

    def _dict_comprehension(self, expr: ast.DictComp, _scope: Scope) -> Types:
        inner = self.names.scope(expr)
        return of("builtins.dict", self.of(expr.key, inner), self.of(expr.value, inner))

    def _boolean(self, expr: ast.BoolOp, scope: Scope) -> Types:
        kept = [
            value for value in expr.values if not (isinstance(value, ast.Constant) and value.value is None)
        ]
        return union(*(self.of(value, scope) for value in kept))

    def _choice(self, expr: ast.IfExp, scope: Scope) -> Types:
        parts = [part for part in (expr.body, expr.orelse) if not _is_none_constant(part)]
        return union(*(self.of(part, scope) for part in parts))

    def _binary(self, expr: ast.BinOp, scope: Scope) -> Types:
        left = self.of(expr.left, scope)
        if isinstance(expr.op, ast.Mod) and left == of("builtins.str"):
            return left
        return binary(expr.op, left, self.of(expr.right, scope))

    def _unary(self, expr: ast.UnaryOp, scope: Scope) -> Types:
        return of("builtins.bool") if isinstance(expr.op, ast.Not) else self.of(expr.operand, scope)

    def _named(self, expr: ast.NamedExpr, scope: Scope) -> Types:
        return self.of(expr.value, scope)

    def _await(self, expr: ast.Await, scope: Scope) -> Types:
        return self.awaited(self.of(expr.value, scope))

    def _name(self, expr: ast.Name, scope: Scope) -> Types:
        symbol = self.names.resolve(expr, scope)
        if isinstance(symbol, Local):
            return self.variable(expr.id, scope)
        return self.symbol(symbol)

    def _attribute(self, expr: ast.Attribute, scope: Scope) -> Types:
        symbol = self.names.resolve(expr, scope)
        if isinstance(symbol, ModuleValue):
            return self.symbol(symbol)
        base = self.names.resolve(expr.value, scope)
        if isinstance(base, ProjectClass):
            return self.classes.member_of_class(base, expr.attr)
        types = self.of(expr.value, scope)
        if types is None:
            return None
        return union(*(self.classes.attribute(one, expr.attr) for one in types))

    def _subscript(self, expr: ast.Subscript, scope: Scope) -> Types:
        types = self.of(expr.value, scope)
        if isinstance(expr.slice, ast.Slice):
            return types
        index = expr.slice.value if isinstance(expr.slice, ast.Constant) else None
        return item(types, index if isinstance(index, int) else None)

    def _call(self, expr: ast.Call, scope: Scope) -> Types:
        found = self.names.candidates(expr.func, scope)
        if all(isinstance(one, ProjectClass | ProjectFunction | External) for one in found):
            return union(*(self._called(one, expr, scope) for one in found))
        if isinstance(expr.func, ast.Attribute):
            return self._method(expr.func, expr, scope)
        if isinstance(expr.func, ast.Call) and expr.func.args:
            declared = self.names.resolve(expr.func.func, scope)
            if isinstance(declared, External) and canonical(declared.qualified) == ACTIVITY:
                symbol = self.names.resolve(expr.func.args[0], scope)
                return self.result(symbol) if isinstance(symbol, ProjectFunction) else None
        return None

    def _called(self, symbol: Symbol, expr: ast.Call, scope: Scope) -> Types:
        if isinstance(symbol, ProjectClass):
            return self._instance(symbol)
        if isinstance(symbol, ProjectFunction):
            return self.result(symbol)
        assert isinstance(symbol, External)
        primitive = self._primitive(canonical(symbol.qualified), expr, scope)
        if primitive is not None:
            return primitive
        arguments = [self.of(arg, scope) for arg in expr.args if not isinstance(arg, ast.Starred)]
        return constructed(symbol.qualified, arguments) or returned(symbol.qualified, arguments)

    def _primitive(self, qualified: str, expr: ast.Call, scope: Scope) -> Types:
        """The results of primitives and asyncio calls, which follow from their arguments."""
        if qualified == WAIT_FOR:
            given = [*expr.args[1:2], *(k.value for k in expr.keywords if k.arg == "type")]
            return of(AWAITABLE, self.annotations.read(given[0], scope)) if given else None
        if qualified == ATTEMPT and expr.args:
            return of(AWAITABLE, self._tried(expr.args[0], scope))
        if qualified == "asyncio.gather":
            return of(FUTURE, self._gathered(expr, scope))
        return asyncio_result(qualified, expr, lambda one: self.of(one, scope))

    def _tried(self, function: ast.expr, scope: Scope) -> Types:
        symbol = self.names.resolve(function, scope)
        if not isinstance(symbol, ProjectFunction):
            return None
        found = self.result(symbol)
        return self.awaited(found) if symbol.is_async else found

    def _gathered(self, expr: ast.Call, scope: Scope) -> Types:
        if any(keyword.arg == "return_exceptions" for keyword in expr.keywords):
            return of("builtins.list")
        starred = [arg.value for arg in expr.args if isinstance(arg, ast.Starred)]
        if starred:
            items = element(self.of(starred[0], scope)) if len(expr.args) == 1 else None
            return of("builtins.list", self.awaited(items))
        return of("builtins.list", *(self.awaited(self.of(arg, scope)) for arg in expr.args))

    def _method(self, func: ast.Attribute, call: ast.Call, scope: Scope) -> Types:
        receiver = self.of(func.value, scope)
        if receiver is None:
            return None
        return union(*(self._method_of(one, func.attr, call, scope) for one in receiver))

    def _method_of(self, receiver: Type, name: str, call: ast.Call, scope: Scope) -> Types:
        if receiver.cls is not None:
            member = self.names.class_member(receiver.cls, name)
            return self.result(member) if isinstance(member, ProjectFunction) else None
        if is_asyncio_type(receiver.name):
            return asyncio_method_result(receiver, name, call, lambda one: self.of(one, scope))
        return method_result(receiver, name)


def _held(collection: Type, held: Types) -> tuple[Types, ...]:
    return (None, held) if collection.name in MAPPINGS else (held,)


def _self_type(function: ProjectFunction) -> Types:
    returns = function.node.returns
    name = returns.id if isinstance(returns, ast.Name) else getattr(returns, "attr", "")
    owner = function.owner
    if name != "Self" or owner is None:
        return None
    return frozenset({Type(f"{owner.module}:{owner.qualname}", (), owner)})


def _decorator(expr: ast.expr) -> str:
    return expr.id if isinstance(expr, ast.Name) else getattr(expr, "attr", "")


def _is_none(binding: Binding) -> bool:
    return binding.how is How.ASSIGN and binding.value is not None and _is_none_constant(binding.value)


def _is_none_constant(expr: ast.expr) -> bool:
    return isinstance(expr, ast.Constant) and expr.value is None


_Reader = Callable[[Inference, Any, Scope], Types]
_READERS: dict[type[ast.expr], _Reader] = {
    ast.Constant: Inference._constant,
    ast.JoinedStr: Inference._text,
    ast.Compare: Inference._truth,
    ast.List: Inference._display,
    ast.Set: Inference._display,
    ast.Tuple: Inference._tuple,
    ast.Dict: Inference._dict,
    ast.ListComp: Inference._comprehension,
    ast.SetComp: Inference._comprehension,
    ast.GeneratorExp: Inference._comprehension,
    ast.DictComp: Inference._dict_comprehension,
    ast.BoolOp: Inference._boolean,
    ast.IfExp: Inference._choice,
    ast.BinOp: Inference._binary,
    ast.UnaryOp: Inference._unary,
    ast.NamedExpr: Inference._named,
    ast.Await: Inference._await,
    ast.Name: Inference._name,
    ast.Attribute: Inference._attribute,
    ast.Subscript: Inference._subscript,
    ast.Call: Inference._call,
}
