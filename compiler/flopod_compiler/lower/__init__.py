"""Lowering: apply a plan to the author's source with one libcst transformer, and map the lines home."""

from flopod_compiler.lower.module import LoweringError, lower_module

__all__ = ["LoweringError", "lower_module"]
