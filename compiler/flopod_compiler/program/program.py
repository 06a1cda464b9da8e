"""The whole program as an analysis sees it: each question goes through here, and is noted with its answer."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TypeVar, cast

from flopod_compiler.model import Config, ProjectFunction, SourceModule
from flopod_compiler.program.answers import workflows_in
from flopod_compiler.program.marked import Marked
from flopod_compiler.program.sources import Sources
from flopod_compiler.program.trace import Question, Trace

Found = TypeVar("Found")


class Program:
    """What there is to know of the modules of a project.

    Whatever an analysis finds out follows from the answers in the trace alone: a module is only given out
    with a note of its text, and all else is read off an answer.
    """

    def __init__(self, sources: Sources) -> None:
        self._trace = Trace()
        self._parts: dict[Program, None] = {}
        self._sources = sources
        self.trees = sources.trees
        self.symbols = sources.symbols
        self.config: Config = sources.project.config
        self._modules = sources.project.modules
        self._answers = sources.answers

    def module(self, name: str) -> SourceModule | None:
        """The module of a dotted name, None if the project has no such file."""
        return self._modules[name] if self._ask(Question.MODULE, name) else None

    def is_module(self, name: str) -> bool:
        """Whether there is a module or a folder of modules of that dotted name."""
        return bool(self._ask(Question.PACKAGE, name))

    def has_method(self, name: str) -> bool:
        """Whether any class defines a method of that name."""
        return bool(self._ask(Question.HAS_METHOD, name))

    def has_property(self, name: str) -> bool:
        """Whether any class has a property of that name."""
        return bool(self._ask(Question.HAS_PROPERTY, name))

    def with_method(self, name: str) -> list[str]:
        """The modules with a class that defines a method of that name."""
        return self._ask(Question.METHODS, name).split()

    def overriding(self, name: str) -> list[str]:
        """The modules with a class that has bases and binds that name."""
        return self._ask(Question.OVERRIDES, name).split()

    def changing(self, name: str) -> list[str]:
        """The modules that may change a variable of that name, or what it holds."""
        return self._ask(Question.CHANGES, name).split()

    def workflow(self, function: ProjectFunction) -> str | None:
        """The name of the workflow that a function is, None if it is none."""
        line = function.node.lineno
        return next((one.name for one in self.workflows(function.module) if one.line == line), None)

    def workflows(self, module: str) -> list[Marked]:
        """The workflows of a module."""
        return workflows_in(self._ask(Question.WORKFLOWS, module))

    def is_called(self, function: str) -> bool:
        """Whether a workflow runs a function as a part of its own run."""
        return bool(self._ask(Question.CALLED, function))

    def apart(self) -> Program:
        """Another analysis of the same sources."""
        return Program(self._sources)

    def once(self, key: Hashable, find: Callable[[Program], Found]) -> Found:
        """What every analysis of these sources finds alike: found by an analysis of its own, once a build.

        Its questions count as asked here. The key names what is found, and of what.
        """
        known = self._sources.found.get(key)
        if known is None:
            part = self.apart()
            known = self._sources.found[key] = find(part), part
        self.include(known[1])
        return cast("Found", known[0])

    def include(self, part: Program) -> None:
        """Count what another analysis has asked as asked here: its result is used."""
        self._parts[part] = None

    def trace(self) -> Trace:
        """All questions, with those of the analyses that were included."""
        found = Trace()
        seen: set[Program] = {self}
        waiting: list[Program] = [self]
        while waiting:
            program = waiting.pop()
            for question, answers in program._trace.answers.items():
                found.answers.setdefault(question, {}).update(answers)
            waiting += [part for part in program._parts if part not in seen]
            seen.update(program._parts)
        return found.ordered()

    def _ask(self, question: Question, name: str) -> str:
        known = self._trace.answers.setdefault(question, {})
        answer = known.get(name)
        if answer is None:
            answer = known[name] = self._answers.to(question, name)
        return answer
