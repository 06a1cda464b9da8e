"""Liveness of local names, backwards over the statement tree, exception edges included.

The question it answers: which names does anybody still want on an edge out of one iteration of a
loop (the back edge, an exit, `else`, an exception edge)? Names that a nested function captures are
wanted everywhere.
"""

from __future__ import annotations

import ast
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass, replace

from flopod_compiler.analyse.scopes import FUNCTIONS, Names, Scope
from flopod_compiler.children import children

LOOPS = (ast.For, ast.AsyncFor, ast.While)
Loop = ast.For | ast.AsyncFor | ast.While
Live = frozenset[str]


@dataclass(frozen=True, slots=True)
class _Edges:
    """What is live where control can go from here besides falling through."""

    breaks: Live = frozenset()
    continues: Live = frozenset()
    raises: Live = frozenset()
    returns: Live = frozenset()


class Liveness:
    """Live names on the edges out of each loop of one function scope."""

    def __init__(self, names: Names, scope: Scope, passing: Container[ast.AST] = ()) -> None:
        self._names = names
        self._passing = passing
        self._scope = scope
        self._reads: dict[ast.AST, Live] = {}
        self._always = frozenset(names.captured(scope))
        self.edges: dict[ast.AST, Live] = {}
        body = scope.node.body if isinstance(scope.node, FUNCTIONS) else []
        self._block(body, frozenset(), _Edges())

    def live_out(self, loop: ast.AST) -> Live:
        """Names wanted on any edge out of an iteration of `loop`."""
        return self.edges.get(loop, frozenset()) | self._always

    # -- statements

    def _block(self, body: Iterable[ast.stmt], out: Live, edges: _Edges) -> Live:
        live = out
        for statement in reversed(list(body)):
            live = self._statement(statement, live, edges) | edges.raises
        return live

    def _statement(self, node: ast.stmt, out: Live, edges: _Edges) -> Live:
        handler = getattr(self, "_" + type(node).__name__.lower(), None)
        if handler is not None:
            result: Live = handler(node, out, edges)
            return result
        return self._through(node, out - self._kills(node))

    def _return(self, node: ast.Return, _out: Live, edges: _Edges) -> Live:
        return edges.returns | (self._uses(node.value) if node.value else frozenset())

    def _raise(self, node: ast.Raise, _out: Live, edges: _Edges) -> Live:
        return edges.raises | self._uses(node)

    def _break(self, _node: ast.Break, _out: Live, edges: _Edges) -> Live:
        return edges.breaks

    def _continue(self, _node: ast.Continue, _out: Live, edges: _Edges) -> Live:
        return edges.continues

    def _delete(self, node: ast.Delete, out: Live, _edges: _Edges) -> Live:
        """`del x` reads x as well: it raises where x is unbound."""
        deleted = self._kills(node)
        return (out - deleted) | deleted | self._uses(node)

    def _if(self, node: ast.If, out: Live, edges: _Edges) -> Live:
        arms = self._block(node.body, out, edges) | self._block(node.orelse, out, edges)
        return self._through(node.test, arms)

    def _for(self, node: ast.For | ast.AsyncFor, out: Live, edges: _Edges) -> Live:
        after = self._block(node.orelse, out, edges)
        head = after
        while True:
            inner = replace(edges, breaks=out, continues=head)
            body = self._block(node.body, head, inner)
            grown = head | ((body - self._targets(node.target)) | self._uses(node.target))
            if grown == head:
                break
            head = grown
        self.edges[node] = head | out | edges.raises | edges.returns
        return head | self._uses(node.iter)

    _asyncfor = _for

    def _while(self, node: ast.While, out: Live, edges: _Edges) -> Live:
        after = self._block(node.orelse, out, edges)
        head = self._through(node.test, after)
        while True:
            inner = replace(edges, breaks=out, continues=head)
            grown = head | self._through(node.test, self._block(node.body, head, inner))
            if grown == head:
                break
            head = grown
        self.edges[node] = head | out | edges.raises | edges.returns
        return head

    def _try(self, node: ast.Try, out: Live, edges: _Edges) -> Live:
        if node.finalbody:
            outer, final = edges, node.finalbody
            ways = (outer.breaks, outer.continues, outer.raises, outer.returns)
            edges = _Edges(*(self._block(final, way, outer) for way in ways))
            out = self._block(final, out, outer)
        caught = edges.raises
        for handler in node.handlers:
            live = self._block(handler.body, out, edges)
            if handler.name:
                live = live - {handler.name}
            caught = caught | live | (self._uses(handler.type) if handler.type else frozenset())
        after = self._block(node.orelse, out, edges)
        return self._block(node.body, after, replace(edges, raises=caught)) | caught

    _trystar = _try

    def _with(self, node: ast.With | ast.AsyncWith, out: Live, edges: _Edges) -> Live:
        passes = node in self._passing
        live = self._block(node.body, out, edges if passes else replace(edges, raises=edges.raises | out))
        for item in reversed(node.items):
            if item.optional_vars is not None:
                live = (live - self._targets(item.optional_vars)) | self._uses(item.optional_vars)
            live = live | self._uses(item.context_expr)
        return live if passes else live | out

    _asyncwith = _with

    def _match(self, node: ast.Match, out: Live, edges: _Edges) -> Live:
        live = out
        for case in node.cases:
            body = self._block(case.body, out, edges)
            live = live | (body - self._captures(case.pattern)) | self._uses(case.pattern)
            if case.guard is not None:
                live = live | (self._uses(case.guard) - self._captures(case.pattern))
        return live | self._uses(node.subject)

    # -- expressions

    def _through(self, node: ast.AST, out: Live) -> Live:
        """Live before a node that is evaluated as a whole: a walrus that surely runs sets its name first."""
        if not any(isinstance(one, ast.NamedExpr) for one in self._names.index.below(node)):
            return out | self._uses(node)
        assigned = [one for one in _certain(node) if isinstance(one, ast.NamedExpr)]
        names = frozenset(name for one in assigned for name in self._targets(one.target))
        early = frozenset(name for name in names if not self._set_first(node, name, assigned))
        return (out - names) | (self._uses(node) - (names - early))

    def _set_first(self, node: ast.AST, name: str, assigned: list[ast.NamedExpr]) -> bool:
        """Whether every read of the name inside the node stands behind an assignment of it."""
        if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name) and node.target.id == name:
            return False
        ends = [_end(one) for one in assigned if one.target.id == name]
        reads = [
            (one.lineno, one.col_offset)
            for one in self._names.index.below(node)
            if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Load) and one.id == name
        ]
        return all(read >= min(ends) for read in reads)

    def _uses(self, node: ast.AST) -> Live:
        found = self._reads.get(node)
        if found is None:
            found = self._reads[node] = frozenset(self._collect(node))
        return found

    def _collect(self, node: ast.AST) -> set[str]:
        found: set[str] = set()
        for one in self._names.index.below(node):
            if isinstance(one, ast.Name):
                if isinstance(one.ctx, ast.Load) and self._names.of.get(one) is self._scope:
                    found.add(one.id)
            elif isinstance(one, ast.AugAssign) and isinstance(one.target, ast.Name):
                found |= self._targets(one.target)
        return found

    def _kills(self, node: ast.stmt) -> Live:
        if isinstance(node, ast.Assign):
            return frozenset().union(*(self._targets(target) for target in node.targets))
        if isinstance(node, ast.AnnAssign) and node.value is not None:
            return self._targets(node.target)
        if isinstance(node, ast.Delete):
            return frozenset().union(*(self._targets(target) for target in node.targets))
        if isinstance(node, (*FUNCTIONS, ast.ClassDef)):
            return frozenset({node.name})
        return frozenset()

    def _targets(self, target: ast.AST) -> Live:
        return frozenset(
            one.id
            for one in self._names.index.below(target)
            if isinstance(one, ast.Name)
            and not isinstance(one.ctx, ast.Load)
            and self._names.of.get(one) is self._scope
        )

    @staticmethod
    def _captures(pattern: ast.AST) -> Live:
        found: set[str] = set()
        for one in ast.walk(pattern):
            if isinstance(one, (ast.MatchAs, ast.MatchStar)) and one.name:
                found.add(one.name)
            elif isinstance(one, ast.MatchMapping) and one.rest:
                found.add(one.rest)
        return frozenset(found)


def _certain(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes below an expression or simple statement that surely run when it does."""
    yield node
    match node:
        case ast.BoolOp():
            yield from _certain(node.values[0])
        case ast.IfExp():
            yield from _certain(node.test)
        case ast.Compare():
            yield from _certain(node.left)
            yield from _certain(node.comparators[0])
        case ast.Assert() | ast.Lambda() | ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            return
        case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
            yield from _certain(node.generators[0].iter)
        case _:
            for child in children(node):
                yield from _certain(child)


def _end(node: ast.expr) -> tuple[int, int]:
    return node.end_lineno or node.lineno, node.end_col_offset or 0
