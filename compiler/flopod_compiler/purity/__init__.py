"""From resolved calls to purity: what a function does besides returning a value, and why."""

from flopod_compiler.purity.common import Common
from flopod_compiler.purity.engine import Purity, Summary
from flopod_compiler.purity.marks import Marks
from flopod_compiler.purity.target import Target
from flopod_compiler.purity.targets import Targets

__all__ = ["Common", "Marks", "Purity", "Summary", "Target", "Targets"]
