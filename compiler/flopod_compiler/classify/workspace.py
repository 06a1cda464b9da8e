"""What the steps of classification share: the project's names, types and purity, and the result they fill."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from flopod_compiler.diagnostics import Related
from flopod_compiler.diagnostics.rule import Rule
from flopod_compiler.model import (
    Classified,
    FunctionNode,
    Project,
    ProjectFunction,
    SourceModule,
    Symbol,
    WorkflowFunction,
)
from flopod_compiler.names import Names, Scope
from flopod_compiler.parse import span
from flopod_compiler.program import Program, Sources
from flopod_compiler.purity import Common, Marks, Purity
from flopod_compiler.purity.engine import Hop
from flopod_compiler.purity.facts import within
from flopod_compiler.types import Inference


@dataclass(eq=False, slots=True)
class Workspace:
    """The passes below classification, and the result under construction."""

    program: Program
    names: Names
    types: Inference
    marks: Marks
    purity: Purity
    result: Classified

    @classmethod
    def over(cls, project: Project) -> Workspace:
        """A workspace for a project, nothing computed yet."""
        sources = Sources(project)
        return cls.of(Program(sources), Common(sources))

    @classmethod
    def of(cls, program: Program, common: Common) -> Workspace:
        """A workspace for an analysis of a program."""
        names = Names(program)
        types = Inference(names)
        marks = Marks(names, program.config)
        purity = Purity(names, types, marks, common)
        return cls(program, names, types, marks, purity, Classified([], {}, {}, {}))

    def report(
        self,
        rule: type[Rule],
        module: SourceModule,
        node: ast.AST,
        /,
        related: tuple[Related, ...] = (),
        cause: str = "",
        **fields: object,
    ) -> None:
        """Add a finding to the result."""
        self.result.diagnostics.append(rule.at(module, node, related, cause, **fields))

    def places(self, hops: tuple[Hop, ...]) -> tuple[Related, ...]:
        """The steps of the way to an effect as places in the source."""
        found: list[Related] = []
        for hop in hops:
            module = self.names.source(hop.function)
            found.append(Related(module.relpath, span(hop.node, module), hop.text))
        return tuple(found)

    def taken(self, symbol: Symbol) -> WorkflowFunction | None:
        """What a function is that takes a scope: a workflow of any module, or one nested in those at hand."""
        if not isinstance(symbol, ProjectFunction):
            return None
        found = self.result.functions.get(symbol.node)
        if found is not None and found.parent is not None:
            return found
        # In a survey every function is at hand as a root by itself, and is a leaf for the others.
        name = self.program.workflow(symbol)
        if found is not None or name is None:
            return found if name is not None else None
        return WorkflowFunction(self.names.source(symbol), symbol.node, symbol.qualname, name, None, {})

    def scopes(self, workflow: WorkflowFunction) -> Iterator[Scope]:
        """All scopes of a root workflow, nested functions included, in source order."""
        return within(self.names.scope(workflow.node))

    def parents(self, workflow: WorkflowFunction) -> dict[ast.AST, ast.AST]:
        """The parent of every node in a workflow's body."""
        return self.names.tree(workflow.node).parents

    def function_around(self, scope: Scope) -> FunctionNode | ast.Lambda | None:
        """The innermost function or lambda that a scope belongs to."""
        current: Scope | None = scope
        while current is not None:
            if isinstance(current.node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                return current.node
            current = current.parent
        return None
