"""Lowering: apply a plan to the author's source with one libcst transformer, and map the lines home.

What is to be edited is known without libcst, which is imported only by the modules that edit.
"""


class LoweringError(Exception):
    """The emitted text does not correspond to the source line by line: a fault of the compiler."""
