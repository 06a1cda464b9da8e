"""From resolved names to classified calls: every call of every workflow gets its kind, or a diagnostic."""

from flopod_compiler.classify.run import classify, classify_module, finish
from flopod_compiler.classify.workspace import Workspace

__all__ = ["Workspace", "classify", "classify_module", "finish"]
