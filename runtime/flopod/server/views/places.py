"""From the path of an operation to its pattern in the manifest, and so to a line of the author's."""

import re
from collections.abc import Iterable, Iterator

from flopod.manifest import PathEntry
from flopod.workflow.paths import ancestors

_KEY = re.compile(r"\[[^\[\]/]*\]")


class Places:
    """The path patterns of a workflow."""

    def __init__(self, entries: Iterable[PathEntry]) -> None:
        self._entries = {entry.path: entry for entry in entries}
        self._recursive = [path for path in self._entries if path.endswith("/**")]
        self._known: dict[str, PathEntry | None] = {}

    def of(self, path: str) -> PathEntry | None:
        """Return the entry that a path belongs to, None if the code cannot produce it."""
        pattern = _KEY.sub("[*]", path)
        found = self._entries.get(pattern)
        if found is None and self._recursive:
            if pattern not in self._known:
                self._known[pattern] = self._in_recursion(pattern)
            found = self._known[pattern]
        return found

    def pattern(self, path: str) -> str:
        """Return the pattern that a path belongs to, or what it would be."""
        found = self.of(path)
        return _KEY.sub("[*]", path) if found is None else found.path

    def _in_recursion(self, pattern: str) -> PathEntry | None:
        """Below a call of itself a function has the patterns that it has above."""
        found: list[tuple[int, PathEntry]] = []
        for recursive in self._recursive:
            base = recursive.removesuffix("**")
            if pattern.startswith(base):
                found += self._ending(pattern.removeprefix(base), self._scope(recursive))
        return max(found, key=lambda each: each[0], default=(0, None))[1]

    def _scope(self, recursive: str) -> str:
        """Where the function that calls itself was called first, "" for the workflow itself."""
        callee = self._entries[recursive].callee
        for above in reversed(ancestors(recursive)[:-1]):
            entry = self._entries.get(above)
            if entry is not None and callee in entry.callee.split(" | "):
                return f"{above}/"
        return ""

    def _ending(self, rest: str, scope: str) -> Iterator[tuple[int, PathEntry]]:
        for path, entry in self._entries.items():
            inner = path.removeprefix(scope)
            if path.startswith(scope) and (rest == inner or rest.endswith(f"/{inner}")):
                yield len(inner), entry
