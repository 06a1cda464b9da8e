"""What becomes of a run of another build at each of its positions, by the two manifests."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass

from flopod.log.lineage import Lineage
from flopod.manifest import Manifest, PathEntry, WorkflowEntry

_STATE = ("var", "list", "map", "recursion")


@dataclass(frozen=True, slots=True)
class Verdict:
    """One position: `verdict` is same, changed, moved, reordered, gone, new, or lost; `why` says more.

    Only what is lost keeps a run from moving: a run that has it in its past does not fit.
    """

    workflow: str
    path: str
    verdict: str
    why: str = ""

    def as_data(self) -> dict[str, str]:
        return asdict(self)


def compare(before: Manifest, now: Manifest) -> list[Verdict]:
    """A verdict for every position of every workflow of the older build."""
    found: list[Verdict] = []
    for name, entry in sorted(before.workflows.items()):
        if name in now.workflows:
            found += _workflow(before, now, entry, now.workflows[name])
        else:
            found.append(Verdict(name, "", "lost", "there is no workflow of this name any more"))
    return found


def _workflow(before: Manifest, now: Manifest, old: WorkflowEntry, entry: WorkflowEntry) -> Iterator[Verdict]:
    lineage = Lineage(now, entry)
    if not lineage.knows(before.generation) or (before.generation and not now.generation):
        why = (
            f"flopod.lock does not know the build {before.build}" if now.generation else "without flopod.lock"
        )
        yield Verdict(old.name, "", "lost", why)
        return
    today = {one.path: one for one in entry.paths if one.kind not in _STATE}
    seen: set[str] = set()
    for one in (one for one in old.paths if one.kind not in _STATE):
        path = lineage.today(one.path, before.generation)
        if path is not None:
            seen.add(path)
        yield _position(old.name, one, path, today, lineage, before.generation)
    for path in today:
        if path not in seen:
            yield Verdict(old.name, path, "new", "it runs, also where a run is past it")


def _position(
    workflow: str,
    one: PathEntry,
    path: str | None,
    today: dict[str, PathEntry],
    lineage: Lineage,
    generation: str,
) -> Verdict:
    if path is None:
        return Verdict(workflow, one.path, "gone", "its recorded outcome is dropped")
    if path not in today:
        return Verdict(
            workflow, one.path, "lost", "the code does not ask for it, and the lock does not say why"
        )
    if path != one.path:
        return Verdict(workflow, one.path, "moved", f"to {path}")
    if lineage.is_changed(path, generation):
        return Verdict(workflow, path, "changed", "its recorded outcome is taken over")
    if lineage.is_new(path, generation):
        return Verdict(workflow, path, "reordered", "it stands elsewhere among the others")
    return Verdict(workflow, path, "same")
