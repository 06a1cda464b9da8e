"""From resolved names to classified calls: every call of every workflow gets its kind, or a diagnostic."""

from flopod_compiler.classify.run import classify

__all__ = ["classify"]
