"""What the steps of classification share: the project's names, types and purity, and the result they fill."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from flopod_compiler.diagnostics import Related
from flopod_compiler.diagnostics.rule import Rule
from flopod_compiler.model import Classified, FunctionNode, Project, SourceModule, WorkflowFunction
from flopod_compiler.names import Names, Scope
from flopod_compiler.parse import span
from flopod_compiler.purity import Marks, Purity
from flopod_compiler.purity.engine import Hop
from flopod_compiler.purity.facts import within
from flopod_compiler.types import Inference


@dataclass(eq=False, slots=True)
class Workspace:
    """The passes below classification, and the result under construction."""

    names: Names
    types: Inference
    marks: Marks
    purity: Purity
    result: Classified

    @classmethod
    def over(cls, project: Project) -> Workspace:
        """A workspace for a project, nothing computed yet."""
        names = Names(project)
        types = Inference(names)
        marks = Marks(names, project.config)
        return cls(names, types, marks, Purity(names, types, marks), Classified(project, [], {}, {}, {}))

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
        modules = self.result.project.modules
        return tuple(
            Related(
                modules[hop.function.module].relpath, span(hop.node, modules[hop.function.module]), hop.text
            )
            for hop in hops
        )

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
