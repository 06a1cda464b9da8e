"""A diagnostic: a coded finding at a place in the author's source, with a rewrite."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A range of the source: 1-based lines, 0-based columns in code points, end exclusive."""

    line: int
    col: int
    end_line: int
    end_col: int


@dataclass(frozen=True, slots=True)
class Related:
    """A second place that explains the first: where a leaf is declared, an id was first used."""

    path: str
    span: Span
    message: str


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding. `path` is relative to the source root; `help` is the rewrite.

    `cause` names what is wrong where several findings have one reason; it is not shown.
    """

    code: str
    message: str
    path: str
    span: Span
    help: str = ""
    severity: str = "error"
    related: tuple[Related, ...] = ()
    cause: str = ""

    @property
    def order(self) -> tuple[str, Span, str]:
        return (self.path, self.span, self.code)
