"""What is wrong with a test, or with what it tests: failures of assertions, as pytest shows them."""

import difflib
from collections.abc import Iterable


class TestFailure(AssertionError):
    """A test asks for what cannot be, or a run did not do what the test expects."""

    __test__ = False


class Mismatch(TestFailure):
    """Two runs that must be equal are not."""


def near(name: str, known: Iterable[str]) -> str:
    """Return the end of a message about an unknown name: the nearest ones, or all there is."""
    names = list(dict.fromkeys(known))
    if not names:
        return ""
    close = difflib.get_close_matches(name, names, 3, 0.5)
    if close:
        return f"; did you mean {' or '.join(map(repr, close))}?"
    shown = ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")
    return f"; there is: {shown}"
