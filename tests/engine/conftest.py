"""The stores of the contract suite, for what an engine does on each of them."""

from tests.contract.conftest import place, store

__all__ = ["place", "store"]
