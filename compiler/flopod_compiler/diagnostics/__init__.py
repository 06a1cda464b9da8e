"""What the compiler has to say about a source: findings with a code, a place and a rewrite."""

from flopod_compiler.diagnostics.diagnostic import Diagnostic, Related, Span

__all__ = ["Diagnostic", "Related", "Span"]
