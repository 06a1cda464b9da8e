"""The modules of a project with what was read off them: made once for a build, and shared by its analyses."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING

from flopod_compiler.model import Project
from flopod_compiler.names.symbols import Symbols
from flopod_compiler.names.trees import Trees
from flopod_compiler.program.answers import Answers
from flopod_compiler.program.outline import Outline, outline_of

if TYPE_CHECKING:
    from flopod_compiler.program.program import Program


class Sources:
    """The scopes, the outlines and the answers of a project; `known` are outlines of modules as they are."""

    def __init__(self, project: Project, known: Mapping[str, Outline] | None = None) -> None:
        self.project = project
        self.trees = Trees()
        self.symbols = Symbols()
        known = known or {}
        self.outlines: dict[str, Outline] = {
            name: known.get(name) or outline_of(module, self.trees.module(module))
            for name, module in project.modules.items()
        }
        for name, module in project.modules.items():
            module.imports = self.outlines[name].imports
        self.answers = Answers(project, self.outlines)
        self.found: dict[Hashable, tuple[object, Program]] = {}
