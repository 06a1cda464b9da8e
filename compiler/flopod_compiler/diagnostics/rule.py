"""The base class of all rules: a code, its page, its examples, and the making of a diagnostic."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, ClassVar

from flopod_compiler.diagnostics.diagnostic import Diagnostic, Related, Span

if TYPE_CHECKING:
    from flopod_compiler.model import SourceModule

Example = str | dict[str, str] | dict[str, bytes]


class Rule:
    """One thing that may be wrong in a source.

    `message` and `help` are templates for `str.format`; `ways` are more ways out, for the page. `valid` and
    `invalid` are example sources (one file, or several by path): they are the tests of the rule and a part
    of its page. In an invalid one each line that is reported ends with the code in a comment, or the line
    above it is `# FLPnnn: the next line`.
    """

    code: ClassVar[str]
    title: ClassVar[str]
    why: ClassVar[str]
    message: ClassVar[str]
    help: ClassVar[str]
    ways: ClassVar[tuple[str, ...]] = ()
    severity: ClassVar[str] = "error"
    suppressible: ClassVar[bool] = False
    valid: ClassVar[tuple[Example, ...]] = ()
    invalid: ClassVar[tuple[Example, ...]] = ()

    @classmethod
    def at(
        cls,
        module: SourceModule,
        node: ast.AST,
        /,
        related: tuple[Related, ...] = (),
        cause: str = "",
        **fields: object,
    ) -> Diagnostic:
        """The finding at a node of a module; `fields` fill the templates."""
        from flopod_compiler.parse import span

        return cls.on(module.relpath, span(node, module), related=related, cause=cause, **fields)

    @classmethod
    def on(
        cls,
        path: str,
        where: Span,
        /,
        *,
        related: tuple[Related, ...] = (),
        cause: str = "",
        **fields: object,
    ) -> Diagnostic:
        """The finding at a span of a file given by its path relative to the source root.

        Findings of one code, file and `cause` become one, with the other places as related spans.
        """
        return Diagnostic(
            code=cls.code,
            message=cls.message.format(**fields),
            path=path,
            span=where,
            help=cls.help.format(**fields),
            severity=cls.severity,
            related=related,
            cause=cause,
        )
