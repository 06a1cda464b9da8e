"""From annotations and expressions to what a value may be: light inference for receivers of calls."""

from flopod_compiler.types.infer import Inference
from flopod_compiler.types.model import Type, Types, of

__all__ = ["Inference", "Type", "Types", "of"]
