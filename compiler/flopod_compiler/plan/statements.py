"""Walk the statements of a workflow function: blocks, loops, decisions, and the state they declare."""

from __future__ import annotations

import ast

from flopod_compiler import ir
from flopod_compiler.analyse.declared import Declared
from flopod_compiler.analyse.regions import evaluated
from flopod_compiler.children import children
from flopod_compiler.diagnostics.rules.lowering import ChangedWhileIterated
from flopod_compiler.model import CallKind
from flopod_compiler.parse import shortened
from flopod_compiler.plan.expressions import Expressions
from flopod_compiler.plan.naming import arm_words, for_header, hint, literals, loop_name, subject
from flopod_compiler.sites import SiteScope, site_at


class Statements(Expressions):
    """Walks blocks; `block` is the way in."""

    def block(self, body: list[ast.stmt], scope: SiteScope, owner: ast.AST | None = None) -> list[ir.Node]:
        """Walk a block of statements; variables declared at its start come first."""
        found: list[ir.Node] = []
        where = owner or self._function.function.node
        if owner is not None or body is self._function.function.node.body:
            found += self._declarations(where, scope)
        for statement in body:
            found += self._one(statement, scope)
        return found

    def _declarations(self, block: ast.AST, scope: SiteScope) -> list[ir.Node]:
        found: list[ir.Node] = []
        for declared in self._function.state.declared.values():
            if declared.block is block:
                site = site_at(self._module, declared.form, declared.name, declared.statement or block, scope)
                self._plan.variable_names[self._function.function.node, declared.name] = site
                found.append(ir.Variable(declared.form, f"?{id(site)}", _line(declared, block)))
        return found

    def _one(self, node: ast.stmt, scope: SiteScope) -> list[ir.Node]:
        before, self._statement = self._statement, node
        handler = getattr(self, "_" + type(node).__name__.lower(), None)
        found: list[ir.Node] = handler(node, scope) if handler else self._parts(node, scope)
        self._statement = before
        return found

    def _parts(self, node: ast.AST, scope: SiteScope) -> list[ir.Node]:
        found: list[ir.Node] = []
        for child in children(node):
            if isinstance(child, ast.stmt):
                found += self._one(child, scope)
            elif isinstance(child, ast.expr):
                found += self._expression(child, scope)
            elif isinstance(child, ast.keyword | ast.withitem | ast.comprehension | ast.ExceptHandler):
                found += self._parts(child, scope)
        return found

    def _functiondef(self, node: ast.FunctionDef | ast.AsyncFunctionDef, scope: SiteScope) -> list[ir.Node]:
        found = [one for part in evaluated(node) for one in self._expression(part, scope)]
        function = self._classified.functions.get(node)
        if function is None or not function.durable:
            for child in ast.walk(node):
                self._note_output(child, scope)
        return found

    _asyncfunctiondef = _functiondef

    def _classdef(self, _node: ast.ClassDef, _scope: SiteScope) -> list[ir.Node]:
        return []

    def _if(self, node: ast.If, scope: SiteScope) -> list[ir.Node]:
        found = self._expression(node.test, scope)
        if not self._any_durable([*node.body, *node.orelse]):
            return ir.without_exits(found + self.block(node.body, scope) + self.block(node.orelse, scope))
        site = self._site("branch", f"if{subject(node.test)}", node, scope, node.test)
        site.literals = literals(node.test)
        arms = [self.block(node.body, scope), self.block(node.orelse, scope)]
        return [*found, ir.Branch(f"?{id(site)}", node.lineno, arms, shortened(node.test), ["yes", "no"])]

    def _match(self, node: ast.Match, scope: SiteScope) -> list[ir.Node]:
        found = self._expression(node.subject, scope)
        durable = any(self._any_durable(case.body) for case in node.cases)
        arms: list[list[ir.Node]] = []
        for case in node.cases:
            arm: list[ir.Node] = []
            if case.guard is not None:
                arm += self._expression(case.guard, scope)
            arms.append(arm + self.block(case.body, scope))
        if not durable:
            return found + ir.without_exits([one for arm in arms for one in arm])
        site = self._site("branch", f"match{subject(node.subject)}", node, scope, node.subject)
        test, words = f"match {shortened(node.subject)}", arm_words(node)
        if not _matches_all(node.cases[-1]):
            arms.append([])
            words.append("")
        return [*found, ir.Branch(f"?{id(site)}", node.lineno, arms, test, words)]

    def _for(self, node: ast.For | ast.AsyncFor, scope: SiteScope) -> list[ir.Node]:
        found = self._expression(node.iter, scope)
        if node not in self._durable or not self._any_durable(node.body):
            return ir.without_exits(found + self.block(node.body, scope) + self.block(node.orelse, scope))
        self._refuse_mutation(node)
        keep = self._function.state.keep.get(node)
        loop = self._loop(node, node, loop_name(node.iter), hint(node.target, node.iter), scope)
        body = self.block(node.body, loop[1], node)
        self._variables.leave()
        orelse = self.block(node.orelse, scope)
        kept = list(keep) if keep is not None else None
        return [*found, ir.Loop("each", f"?{id(loop[0])}", node.lineno, body, orelse, kept, for_header(node))]

    _asyncfor = _for

    def _refuse_mutation(self, node: ast.For | ast.AsyncFor) -> None:
        if not isinstance(node.iter, ast.Name):
            return
        for one in (child for part in node.body for child in ast.walk(part)):
            if isinstance(one, ast.Call) and _receiver(one) == node.iter.id and self._changes_receiver(one):
                self._report(ChangedWhileIterated, one, name=node.iter.id)

    def _changes_receiver(self, call: ast.Call) -> bool:
        info = self._classified.calls.get(call)
        return info is not None and info.kind is CallKind.PURE and "self" in info.mutates

    def _while(self, node: ast.While, scope: SiteScope) -> list[ir.Node]:
        if node not in self._durable:
            return ir.without_exits(self._parts(node, scope))
        if not self._any_durable(node.body) and node.test not in self._durable:
            return ir.without_exits(self._parts(node, scope))
        site, inner = self._loop(node, node, "loop", "loop", scope)
        self._plan.counters[node] = self._variables.counter(site.op if site.op.isidentifier() else "loop")
        found = self._expression(node.test, inner)
        found += self.block(node.body, inner, node)
        self._variables.leave()
        keep = self._function.state.keep.get(node)
        kept = list(keep) if keep is not None else None
        orelse = self.block(node.orelse, scope)
        header = f"while {shortened(node.test)}"
        return [ir.Loop("repeat", f"?{id(site)}", node.lineno, found, orelse, kept, header)]

    def _try(self, node: ast.Try, scope: SiteScope) -> list[ir.Node]:
        body = self.block(node.body, scope)
        handlers = [
            (self._expression(one.type, scope) if one.type else []) + self.block(one.body, scope)
            for one in node.handlers
        ]
        orelse = self.block(node.orelse, scope)
        final = self.block(node.finalbody, scope)
        if node not in self._durable:
            return []
        catches = [_catches(node, one) for one in node.handlers]
        return [ir.Try(node.lineno, body, handlers, orelse, final, catches)]

    _trystar = _try

    def _return(self, node: ast.Return, scope: SiteScope) -> list[ir.Node]:
        return [*self._parts(node, scope), ir.Exit("return", node.lineno)]

    def _raise(self, node: ast.Raise, scope: SiteScope) -> list[ir.Node]:
        what = shortened(node.exc) if node.exc is not None else ""
        return [*self._parts(node, scope), ir.Exit("raise", node.lineno, what)]

    def _break(self, node: ast.Break, _scope: SiteScope) -> list[ir.Node]:
        return [ir.Exit("break", node.lineno)]

    def _continue(self, node: ast.Continue, _scope: SiteScope) -> list[ir.Node]:
        return [ir.Exit("continue", node.lineno)]


def _matches_all(case: ast.match_case) -> bool:
    """Whether nothing is left over by a last case like that."""
    return case.guard is None and isinstance(case.pattern, ast.MatchAs) and case.pattern.pattern is None


def _catches(node: ast.Try, handler: ast.ExceptHandler) -> str:
    star = "" if isinstance(node, ast.Try) else "*"
    types = f" {shortened(handler.type)}" if handler.type is not None else ""
    return f"except{star}{types}" + (f" as {handler.name}" if handler.name else "")


def _line(declared: Declared, block: ast.AST) -> int:
    return getattr(declared.statement or block, "lineno", 1)


def _receiver(call: ast.Call) -> str | None:
    """The name whose method is called, if it is one."""
    receiver = call.func.value if isinstance(call.func, ast.Attribute) else None
    return receiver.id if isinstance(receiver, ast.Name) else None
