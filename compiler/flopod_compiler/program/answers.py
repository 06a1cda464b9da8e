"""The answers of a project to what an analysis may ask, each a text that follows from the sources alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache

import msgspec

from flopod_compiler.model import Project
from flopod_compiler.program.marked import Marked
from flopod_compiler.program.outline import INHERITS, METHOD, PROPERTY, Outline
from flopod_compiler.program.trace import Question, Trace


class Answers:
    """Looks up answers in the outlines of modules; `workflows` and `called` are set when they are known."""

    def __init__(self, project: Project, outlines: Mapping[str, Outline]) -> None:
        self._project = project
        self._folders = _folders(project)
        self._having: dict[Question, dict[str, list[str]]] = _having(outlines)
        self.workflows: dict[str, list[Marked]] = {}
        self.called: set[str] = set()
        self._kinds: dict[Question, Callable[[str], str]] = {
            Question.MODULE: self._module,
            Question.PACKAGE: self._package,
            Question.HAS_METHOD: lambda name: _yes(name in self._having[Question.METHODS]),
            Question.HAS_PROPERTY: lambda name: _yes(name in self._having[Question.HAS_PROPERTY]),
            Question.METHODS: lambda name: self._modules(Question.METHODS, name),
            Question.OVERRIDES: lambda name: self._modules(Question.OVERRIDES, name),
            Question.CHANGES: lambda name: self._modules(Question.CHANGES, name),
            Question.WORKFLOWS: lambda name: _written(self.workflows.get(name)),
            Question.CALLED: lambda name: _yes(name in self.called),
        }

    def to(self, question: Question, name: str) -> str:
        """The answer to one question."""
        return self._kinds[question](name)

    def are_as_in(self, trace: Trace, *, but: Question | None = None) -> bool:
        """Whether everything in a trace is answered as it was then, all but one question."""
        return all(
            self._kinds[question](name) == answer
            for question, answers in trace.answers.items()
            if question is not but
            for name, answer in answers.items()
        )

    def _module(self, name: str) -> str:
        module = self._project.modules.get(name)
        return module.version if module is not None else ""

    def _package(self, name: str) -> str:
        return _yes(name in self._project.modules or name in self._folders)

    def _modules(self, question: Question, name: str) -> str:
        return " ".join(self._having[question].get(name, ()))


@lru_cache(maxsize=1024)
def workflows_in(answer: str) -> list[Marked]:
    """What an answer about workflows says."""
    return msgspec.json.decode(answer, type=list[Marked]) if answer else []


def _written(workflows: list[Marked] | None) -> str:
    return msgspec.json.encode(workflows).decode() if workflows else ""


def _yes(holds: bool) -> str:
    return "yes" if holds else ""


def _folders(project: Project) -> set[str]:
    return {name.rsplit(".", depth)[0] for name in project.modules for depth in range(1, name.count(".") + 1)}


def _having(outlines: Mapping[str, Outline]) -> dict[Question, dict[str, list[str]]]:
    """By question and name the modules that have it, in the order of their names."""
    methods: dict[str, list[str]] = {}
    overrides: dict[str, list[str]] = {}
    properties: dict[str, list[str]] = {}
    changes: dict[str, list[str]] = {}
    for module, outline in outlines.items():
        for name, flags in outline.members.items():
            for flag, found in ((METHOD, methods), (INHERITS, overrides), (PROPERTY, properties)):
                if flags & flag:
                    found.setdefault(name, []).append(module)
        for name in outline.changes:
            changes.setdefault(name, []).append(module)
    return {
        Question.METHODS: methods,
        Question.OVERRIDES: overrides,
        Question.HAS_PROPERTY: properties,
        Question.CHANGES: changes,
    }
