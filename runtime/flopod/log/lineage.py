"""What a build knows about the builds before it: where their paths went, what is new, changed and gone."""

import re
from collections.abc import Iterator
from functools import lru_cache

from flopod.manifest import Edit, Manifest, Moved, WorkflowEntry

_KEY = re.compile(r"\[[^\]]*\]")
_NOWHERE = Edit("")


class Lineage:
    """The past of one workflow as its build's lock tells it; `generation` is the lock's own.

    A path may also be a pattern, with `[*]` for its keys.
    """

    def __init__(self, manifest: Manifest, entry: WorkflowEntry) -> None:
        self.generation = manifest.generation
        self._after = manifest.generations
        self._edits = {edit.path: edit for edit in entry.edits}
        self._moves = _by_generation(entry.moves, manifest)
        self._renamed = _by_generation(entry.renamed, manifest)
        self._known = {one.path for one in entry.paths}
        self._again = [edit for edit in entry.edits if edit.again]
        self._callees = {one.path: one.callee for one in entry.paths} if self._again else {}
        self._deep = tuple(one.path.removesuffix("**") for one in entry.paths if one.path.endswith("/**"))
        self._ancestry: dict[str, frozenset[str]] = {}

    def knows(self, generation: str) -> bool:
        """Whether a run of that generation can be judged; one without a lock by the first of them."""
        return generation in self._after or (not generation and len(self._after) <= 1)

    def today(self, path: str, generation: str) -> str | None:
        """What a path recorded under `generation` is now; None if it is gone."""
        for moves in self._since(self._moves, generation):
            path = _moved(path, moves)
        gone = any(edit.gone and not self._had(edit.gone, generation) for edit in self._edits_around(path))
        return None if gone else path

    def parameter(self, name: str, generation: str) -> str:
        """What the parameter of the workflow that `generation` called `name` is called today."""
        for names in self._since(self._renamed, generation):
            name = names.get(name, name)
        return name

    def can_ask(self, path: str) -> bool:
        """Whether there is code that could ask for a path of today; always, if the paths are not known."""
        if not self._known:
            return True
        pattern = pattern_of(path)
        return pattern in self._known or pattern.startswith(self._deep)

    def again(self, callee: str, generation: str) -> str:
        """Where a call of `callee` is new that may be one that `generation` made elsewhere; "" if nowhere."""
        found = (edit for edit in self._again if callee in self._callees.get(edit.path, "").split(" | "))
        return next((edit.path for edit in found if not self._had(edit.since, generation)), "")

    def is_new(self, path: str, generation: str) -> bool:
        """Whether the code of `generation` could not ask for the path, or not at this place."""
        return any(
            not self._had(mark, generation)
            for edit in self._edits_around(path)
            for mark in (edit.since, edit.moved)
            if mark
        )

    def is_changed(self, path: str, generation: str) -> bool:
        """Whether the call at the path has other arguments or another callee than under `generation`."""
        edit = self._edits.get(pattern_of(path), _NOWHERE)
        return bool(edit.changed) and not self._had(edit.changed, generation)

    def _had(self, mark: str, generation: str) -> bool:
        """Whether what came with the generation `mark` was there in `generation`."""
        return mark == generation or mark in self._before(generation)

    def _before(self, generation: str) -> frozenset[str]:
        known = self._ancestry.get(generation)
        if known is None:
            above = self._after.get(generation, [])
            known = frozenset(above).union(*map(self._before, above))
            self._ancestry[generation] = known
        return known

    def _edits_around(self, path: str) -> Iterator[Edit]:
        """What is known about a path and about the scopes it is in."""
        if not self._edits:
            return
        pattern = pattern_of(path)
        end = 0
        while end >= 0:
            end = pattern.find("/", end + 1)
            edit = self._edits.get(pattern if end < 0 else pattern[:end])
            if edit is not None:
                yield edit

    def _since(self, moves: dict[str, dict[str, str]], generation: str) -> Iterator[dict[str, str]]:
        return (some for mark, some in moves.items() if not self._had(mark, generation))


def _by_generation(moves: list[Moved], manifest: Manifest) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for generation in manifest.generations:
        some = {move.old: move.new for move in moves if move.generation == generation}
        if some:
            found[generation] = some
    return found


def _moved(path: str, moves: dict[str, str]) -> str:
    """The path with its longest beginning that moved replaced, keys and all."""
    pattern = pattern_of(path)
    end = len(pattern)
    while end > 0:
        new = moves.get(pattern[:end])
        if new is not None:
            return _with_keys(new + pattern[end:], _KEY.findall(path))
        end = pattern.rfind("/", 0, end)
    return path


def _with_keys(pattern: str, keys: list[str]) -> str:
    left = iter(keys)
    return _KEY.sub(lambda _: next(left), pattern)


@lru_cache(maxsize=4096)
def pattern_of(path: str) -> str:
    """The pattern of a path: `lines[*]/price` of `lines[2]/price`."""
    return _KEY.sub("[*]", path)
