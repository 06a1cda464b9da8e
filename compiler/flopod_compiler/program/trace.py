"""What an analysis has asked about a program, and the answers: while they are the same, so is its result."""

from __future__ import annotations

from enum import Enum

import msgspec


class Question(Enum):
    """What can be asked, each about one name; an answer is a text, empty for no.

    MODULE: the file and text of a module, as a digest. PACKAGE: whether there is such a module or folder.
    HAS_METHOD, HAS_PROPERTY: whether any class has one; METHODS, OVERRIDES: the modules with a class that
    defines it, and with one that has bases. CHANGES: the modules that may change what has the name.
    WORKFLOWS: the functions of a module that are workflows. CALLED: whether a workflow calls a function.
    """

    MODULE = "module"
    PACKAGE = "package"
    HAS_METHOD = "has method"
    HAS_PROPERTY = "has property"
    METHODS = "methods"
    OVERRIDES = "overrides"
    CHANGES = "changes"
    WORKFLOWS = "workflows"
    CALLED = "called"


class Trace(msgspec.Struct, array_like=True):
    """Questions and answers."""

    answers: dict[Question, dict[str, str]] = {}

    def ordered(self) -> Trace:
        """The same in an order that does not depend on when a question was asked."""
        return Trace(
            {one: dict(sorted(self.answers[one].items())) for one in Question if one in self.answers}
        )
