"""The regression guards of these examples: one that does not do what its page says ends with status 1."""

import sys
from typing import Any


def expect(what: str, found: Any, wanted: Any) -> None:
    """End the program with a line about it if `found` is not `wanted`."""
    if found != wanted:
        sys.exit(f"REGRESSION: {what}: expected {wanted!r}, got {found!r}")
