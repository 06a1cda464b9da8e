"""What the compiler knows of names outside the project, as tables by qualified name."""

from flopod_compiler.knowledge.known import Known
from flopod_compiler.knowledge.lookup import external, is_author_primitive
from flopod_compiler.knowledge.methods import METHODS, MUTATORS

__all__ = ["METHODS", "MUTATORS", "Known", "external", "is_author_primitive"]
