"""Walk the expressions of a workflow function: its durable calls, comprehensions and short circuits."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from flopod.manifest import COMPUTED
from flopod_compiler import ir
from flopod_compiler.analyse.regions import comprehension_is_durable, durable_call, evaluated
from flopod_compiler.analyse.scopes import COMPREHENSIONS
from flopod_compiler.children import children
from flopod_compiler.diagnostics.rule import Rule
from flopod_compiler.diagnostics.rules.lowering import DurableGenerator
from flopod_compiler.knowledge.author import NAMING, RACE
from flopod_compiler.knowledge.beside import HANDED
from flopod_compiler.knowledge.concurrency import BEGINS, begun_argument, delay_of
from flopod_compiler.model import CallInfo, CallKind, Classified
from flopod_compiler.parse import shortened
from flopod_compiler.plan.beside import describe_handed, name_handed, note_of, note_task
from flopod_compiler.plan.model import FunctionPlan, Plan, Spread
from flopod_compiler.plan.naming import (
    AT_ONCE,
    TIMERS,
    callee_of,
    event,
    for_header,
    given,
    hint,
    is_fan_out,
    is_plain_idiom,
    key_function,
    kind_of,
    literals,
    loop_name,
    payload,
    subject,
)
from flopod_compiler.plan.variables import Variables
from flopod_compiler.pragmas import Pragma
from flopod_compiler.sites import Site, SiteScope, literal_arguments, site_at

Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
Element = Callable[[ast.expr, SiteScope], list[ir.Node]]


class Expressions:
    """Collects the sites of expressions and gives their IR."""

    def __init__(
        self,
        classified: Classified,
        plan: Plan,
        function: FunctionPlan,
        pragmas: dict[int, Pragma],
        variables: Variables,
    ) -> None:
        self._classified = classified
        self._plan = plan
        self._function = function
        self._module = function.function.module
        self._durable = function.durable
        self._pragmas = pragmas
        self._variables = variables
        self._statement: ast.stmt = function.function.node

    # -- sites

    def _site(
        self, kind: str, op: str, node: ast.AST, scope: SiteScope, anchor: ast.AST | None = None
    ) -> Site:
        pragma = self._pragma(node, anchor or node)
        literals = literal_arguments(node) if isinstance(node, ast.Call) else {}
        site = site_at(self._module, kind, op, node, scope)
        if pragma is not None and pragma.id:
            self._plan.taken.add((pragma.span, "id"))
        site.pragma, site.literals = pragma.id if pragma else None, literals
        site.assigned = self._assigned(node)
        self._plan.sites[node] = site
        return site

    def _pragma(self, owner: ast.AST, node: ast.AST) -> Pragma | None:
        """The pragma on the lines of `node`; the one on a header speaks of the `for`, `while` or `if`."""
        if _compound(self._statement) and owner is not self._statement:
            return None
        first = getattr(node, "lineno", 0)
        last = first if isinstance(node, ast.stmt | ast.comprehension) else getattr(node, "end_lineno", first)
        end = self._statement.end_lineno if not _compound(self._statement) else last
        for line in (first, last, end or last):
            pragma = self._pragmas.get(line)
            if pragma is not None:
                return pragma
        return None

    def _assigned(self, node: ast.AST) -> str | None:
        statement = self._statement
        value = getattr(statement, "value", None)
        target = (
            statement.targets[0] if isinstance(statement, ast.Assign) else getattr(statement, "target", None)
        )
        bare = self._begun_by(value.value if isinstance(value, ast.Await) else value)
        if bare is node and isinstance(target, ast.Name):
            return target.id
        if isinstance(bare, ast.Call) and isinstance(target, ast.Tuple | ast.List):
            for argument, element in zip(bare.args, target.elts, strict=False):
                same = argument is node and len(target.elts) == len(bare.args)
                if same and isinstance(element, ast.Name):
                    return element.id
        return None

    def _begun_by(self, value: ast.expr | None) -> ast.expr | None:
        """What a value begins: `price(n)` in `asyncio.create_task(price(n))`, and itself otherwise."""
        info = self._classified.calls.get(value) if isinstance(value, ast.Call) else None
        if info is None or BEGINS.get(info.callee, True) or not isinstance(value, ast.Call):
            return value
        return begun_argument(value)

    def _target_of_statement(self) -> str | None:
        statement = self._statement
        target = (
            statement.targets[0] if isinstance(statement, ast.Assign) else getattr(statement, "target", None)
        )
        return target.id if isinstance(target, ast.Name) else None

    def _report(self, rule: type[Rule], node: ast.AST, **fields: Any) -> None:
        self._plan.diagnostics.append(rule.at(self._module, node, **fields))

    def _loop(
        self,
        node: ast.For | ast.AsyncFor | ast.While | ast.comprehension,
        anchor: ast.AST,
        name: str,
        hint: str,
        scope: SiteScope,
    ) -> tuple[Site, SiteScope]:
        site = self._site("loop", name, node, scope, anchor)
        site.default = name
        pragma = self._pragma(node, anchor)
        if pragma is not None and pragma.id:
            site.op, site.pragma = pragma.id, None
        if pragma is not None and pragma.key and not isinstance(node, ast.While):
            self._plan.keys[node] = key_function(node.target, pragma.key)
            self._plan.taken.add((pragma.span, "key"))
        if isinstance(node, ast.For | ast.AsyncFor):
            site.assigned = _item_name(node.target)
        elif isinstance(node, ast.comprehension):
            site.assigned = self._target_of_statement()
        site.inner = inner = SiteScope(self._variables.enter(hint))
        self._plan.loops[node] = inner
        self._plan.scopes[node] = scope
        return site, inner

    # -- expressions

    def _expression(self, node: ast.AST, scope: SiteScope) -> list[ir.Node]:
        self._plan.scopes[node] = scope
        if isinstance(node, ast.Call):
            return self._call(node, scope, awaited=False)
        if isinstance(node, ast.Await) and isinstance(node.value, ast.Call):
            self._plan.scopes[node.value] = scope
            found = self._call(node.value, scope, awaited=True)
            self._note_doubt(node.value)
            return found
        if isinstance(node, COMPREHENSIONS):
            return self._comprehension(node, scope, spread=False)
        if isinstance(node, ast.BoolOp):
            return self._boolop(node, scope)
        if isinstance(node, ast.IfExp):
            return self._ifexp(node, scope)
        if isinstance(node, ast.Lambda):
            return self._lambda(node, scope)
        return self._children(node, scope)

    def _children(self, node: ast.AST, scope: SiteScope) -> list[ir.Node]:
        found: list[ir.Node] = []
        for child in children(node):
            if isinstance(child, ast.expr):
                found += self._expression(child, scope)
            elif isinstance(child, ast.keyword):
                found += self._expression(child.value, scope)
        return found

    def _lambda(self, node: ast.Lambda, scope: SiteScope) -> list[ir.Node]:
        for child in ast.walk(node.body):
            self._note_output(child, scope)
        return [one for part in evaluated(node) for one in self._expression(part, scope)]

    def _note_output(self, node: ast.AST, scope: SiteScope) -> None:
        """Prints, logs and module values inside plain nested functions use the scope around them."""
        if isinstance(node, ast.expr):
            self._plan.scopes.setdefault(node, scope)

    def _any_durable(self, nodes: list[ast.stmt] | list[ast.expr]) -> bool:
        return any(node in self._durable for node in nodes)

    def _ifexp(self, node: ast.IfExp, scope: SiteScope) -> list[ir.Node]:
        found = self._expression(node.test, scope)
        arms = [self._expression(node.body, scope), self._expression(node.orelse, scope)]
        if not self._any_durable([node.body, node.orelse]):
            return found + arms[0] + arms[1]
        site = self._site("branch", f"if{subject(node.test)}", node, scope)
        site.literals, site.assigned = literals(node.test), None
        return [*found, ir.Branch(f"?{id(site)}", node.lineno, arms, shortened(node.test), ["yes", "no"])]

    def _boolop(self, node: ast.BoolOp, scope: SiteScope) -> list[ir.Node]:
        found: list[ir.Node] = []
        word = "and" if isinstance(node.op, ast.And) else "or"
        for position, value in enumerate(node.values):
            if position and value in self._durable:
                site = site_at(self._module, "branch", f"{word}{subject(node.values[0])}", value, scope)
                self._plan.prefixes[value] = site
                arms = [self._expression(value, scope), list[ir.Node]()]
                before = ast.BoolOp(node.op, node.values[:position]) if position > 1 else node.values[0]
                words = ["yes", "no"] if word == "and" else ["no", "yes"]
                found = [*found, ir.Branch(f"?{id(site)}", value.lineno, arms, shortened(before), words)]
            else:
                found += self._expression(value, scope)
        return found

    def _comprehension(self, node: Comprehension, scope: SiteScope, *, spread: bool) -> list[ir.Node]:
        if not comprehension_is_durable(self._durable, node):
            return self._children_of_comprehension(node, scope)
        if isinstance(node, ast.GeneratorExp) and not spread:
            self._report(DurableGenerator, node)
        return self._clauses(node, 0, scope, self._arm if spread else self._expression)

    def _children_of_comprehension(self, node: Comprehension, scope: SiteScope) -> list[ir.Node]:
        found: list[ir.Node] = []
        for child in ast.walk(node):
            if child is not node and isinstance(child, ast.expr):
                self._plan.scopes.setdefault(child, scope)
        return found + self._expression(node.generators[0].iter, scope)

    def _clauses(
        self, node: Comprehension, position: int, scope: SiteScope, element: Element
    ) -> list[ir.Node]:
        if position == len(node.generators):
            parts = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
            return [one for part in parts for one in element(part, scope)]
        clause = node.generators[position]
        found = self._expression(clause.iter, scope)
        named = hint(clause.target, clause.iter)
        site, inner = self._loop(clause, clause.iter, loop_name(clause.iter), named, scope)
        body = [one for test in clause.ifs for one in self._expression(test, inner)]
        body += self._clauses(node, position + 1, inner, element)
        self._variables.leave()
        header = for_header(clause)
        return [*found, ir.Loop("each", f"?{id(site)}", clause.iter.lineno, body, header=header)]

    # -- calls

    def _call(self, node: ast.Call, scope: SiteScope, *, awaited: bool) -> list[ir.Node]:
        self._plan.scopes[node] = scope
        info = self._classified.calls.get(node)
        if info is not None and is_fan_out(info):
            return self._fan_out(node, info, scope)
        found = self._begun(node, info, scope) if info is not None else self._children(node, scope)
        if info is None or not durable_call(self._classified, node) or is_plain_idiom(node, info):
            return found
        kind, op = kind_of(node, info)
        site = self._site(kind, op, node, scope)
        if kind in TIMERS:
            self._name_timer(site, node, info)
        elif info.callee in HANDED:
            name_handed(site, node, info)
        elif info.callee in NAMING:
            describe_handed(site, node, node.args[0] if node.args else None)
        if not (kind in TIMERS or kind in AT_ONCE) and (
            info.is_sync or not (awaited or info.kind is CallKind.RECORDABLE or info.is_async)
        ):
            self._plan.awaited.add(node)
        operation = ir.Operation(kind, f"?{id(site)}", node.lineno, callee_of(info), undo=info.undo)
        operation.beside, operation.given = note_of(node, info), given(node, info)
        if kind == "wait":
            operation.event = event(node) or COMPUTED
            operation.type, operation.module = payload(node), self._module.name
        if info.callee == "asyncio.wait_for":
            return [ir.Parallel(node.lineno, [found, [operation]], "timeout")]
        return [*found, operation]

    def _note_doubt(self, node: ast.Call) -> None:
        site, info = self._plan.sites.get(node), self._classified.calls.get(node)
        if site is not None and site.kind == "activity" and info is not None and info.is_async is not True:
            self._plan.doubtful.add(node)

    def _fan_out(self, node: ast.Call, info: CallInfo, scope: SiteScope) -> list[ir.Node]:
        """A gather, `parallel` or `race`: each arm begins by itself."""
        found: list[ir.Node] = []
        arms = [self._arm(argument, scope) for argument in node.args]
        for keyword in node.keywords:
            if info.kind is CallKind.IDIOM:
                found += self._expression(keyword.value, scope)
            else:
                arms.append(self._arm(keyword.value, scope))
                self._name_arm(keyword)
        if info.callee == RACE:
            site = self._site("race", "race", node, scope)
            found.append(ir.Operation("race", f"?{id(site)}", node.lineno))
        return [*found, ir.Parallel(node.lineno, arms, "race" if info.callee == RACE else "all")]

    def _name_arm(self, keyword: ast.keyword) -> None:
        site = self._plan.sites.get(keyword.value)
        if site is not None and site.assigned is None:
            site.assigned = keyword.arg

    def _begun(self, node: ast.Call, info: CallInfo, scope: SiteScope) -> list[ir.Node]:
        """The parts of a call; what it begins as a task of its own gets no `await`."""
        begins = BEGINS.get(info.callee)
        if begins is None:
            return self._children(node, scope)
        found = self._expression(node.func, scope)
        begun = begun_argument(node)
        for value in [*node.args, *(keyword.value for keyword in node.keywords)]:
            if value is begun:
                block = self._begins(value, scope, begins)
                called = self._classified.calls.get(value) if isinstance(value, ast.Call) else None
                note_task(block, node, info, called)
                found += block
            else:
                found += self._expression(value, scope)
        return found

    def _begins(self, node: ast.expr, scope: SiteScope, several: bool) -> list[ir.Node]:
        if not several or isinstance(node, COMPREHENSIONS):
            return self._arm(node, scope)
        if not isinstance(node, ast.List | ast.Tuple | ast.Set):
            return self._expression(node, scope)
        self._plan.scopes[node] = scope
        return [one for element in node.elts for one in self._arm(element, scope)]

    def _name_timer(self, site: Site, node: ast.Call, info: CallInfo) -> None:
        """Timers are told apart by their delays; of the call, nothing else is theirs."""
        delay = delay_of(info.callee, node)
        assert delay is not None and delay.expr is not None
        site.literals, site.assigned = literal_arguments(ast.Call(node.func, [delay.expr], [])), None

    def _arm(self, node: ast.expr, scope: SiteScope) -> list[ir.Node]:
        inside = node.value if isinstance(node, ast.Starred) else node
        self._plan.scopes[inside] = scope
        if isinstance(inside, COMPREHENSIONS):
            return self._comprehension(inside, scope, spread=True)
        if isinstance(inside, ast.Call):
            info = self._classified.calls.get(inside)
            if info is not None and info.maps and inside in self._durable:
                return self._spread(inside, info, scope)
            return self._call(inside, scope, awaited=info is not None and info.is_async is not False)
        return self._expression(inside, scope)

    def _spread(self, node: ast.Call, info: CallInfo, scope: SiteScope) -> list[ir.Node]:
        """`map(f, xs)`: a loop over the items, with a call of `f` in the scope of each."""
        self._plan.scopes[node] = scope
        found = [one for argument in node.args for one in self._expression(argument, scope)]
        loop = site_at(self._module, "loop", loop_name(node), node, scope)
        loop.assigned = self._target_of_statement()
        loop.inner = inner = SiteScope(self._variables.enter("item"))
        kind, op = kind_of(node, info)
        each = site_at(self._module, kind, op, node, inner)
        self._variables.leave()
        self._plan.spreads[node] = Spread(loop, each, inner, self._variables.item)
        operation = ir.Operation(kind, f"?{id(each)}", node.lineno, callee_of(info), undo=info.undo)
        header = f"for each of {', '.join(shortened(one) for one in node.args[1:])}"
        return [*found, ir.Loop("each", f"?{id(loop)}", node.lineno, [operation], header=header)]


def _item_name(target: ast.expr) -> str | None:
    """The variable of a loop; of several the last, which the item has also without `enumerate`."""
    while isinstance(target, ast.Tuple | ast.List) and target.elts:
        target = target.elts[-1]
    return target.id if isinstance(target, ast.Name) else None


def _compound(statement: ast.stmt) -> bool:
    return hasattr(statement, "body") or isinstance(statement, ast.Match)
