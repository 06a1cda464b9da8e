"""What a build finds out about each module, as plain data that can be kept until an answer changes."""

from flopod_compiler.units.analysis import Analysis
from flopod_compiler.units.unit import Unit, UnitFunction, Workflow

__all__ = ["Analysis", "Unit", "UnitFunction", "Workflow"]
