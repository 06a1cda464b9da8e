"""An abstract heap: locations that unify, each with the one location that stands for all it holds."""

from __future__ import annotations


class Location:
    """A set of objects that the analysis does not tell apart."""

    __slots__ = ("_content", "_parent")

    def __init__(self) -> None:
        self._parent: Location | None = None
        self._content: Location | None = None

    def find(self) -> Location:
        root = self
        while root._parent is not None:
            root = root._parent
        while self._parent is not None and self._parent is not root:
            self._parent, self = root, self._parent
        return root

    def content(self) -> Location:
        """What the objects hold: attributes, items, elements alike."""
        root = self.find()
        if root._content is None:
            root._content = Location()
        return root._content.find()

    def unify(self, other: Location) -> None:
        """From now on the two are one, and so is what they hold."""
        pairs = [(self, other)]
        while pairs:
            left, right = (one.find() for one in pairs.pop())
            if left is right:
                continue
            right._parent = left
            if left._content is None:
                left._content = right._content
            elif right._content is not None:
                pairs.append((left._content, right._content))

    def reach(self) -> set[Location]:
        """This location and all that can be reached from it."""
        found: set[Location] = set()
        here: Location | None = self.find()
        while here is not None and here not in found:
            found.add(here)
            here = here._content.find() if here._content is not None else None
        return found
