"""From parsed modules to meanings: scopes as Python has them, and whole-program name resolution."""

from flopod_compiler.names.bindings import BUILTINS, describe
from flopod_compiler.names.resolve import Names
from flopod_compiler.names.scopes import Binding, How, Scope, Tree

__all__ = ["BUILTINS", "Binding", "How", "Names", "Scope", "Tree", "describe"]
