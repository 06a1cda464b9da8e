"""The kinds of edit. Each changes a draft at a random place and says whether it could.

What stays the same call keeps its mark; new calls have none, and calls that became many or others lose it.
"""

from __future__ import annotations

from tests.edits import beside, calls, names, statements, structure, wrapping
from tests.edits.registry import EDITS

__all__ = ["EDITS", "beside", "calls", "names", "statements", "structure", "wrapping"]
