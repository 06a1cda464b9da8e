"""Which functions of a build are leaves, by what its manifest says of the calls."""

from __future__ import annotations

from flopod.manifest import Manifest, PathEntry

_CALLS = frozenset({"activity", "attempt", "compensate"})
_BESIDE = frozenset({"detach_and_join_later", "detach_and_forget", "forget", "work", "tap"})


def runs_leaf(path: PathEntry, manifest: Manifest) -> bool:
    """Whether what stands at a path is a leaf: beside the main line, it may be a workflow too."""
    return path.kind in _CALLS or (path.kind in _BESIDE and path.callee not in manifest.ir)


def leaves_of(manifest: Manifest) -> list[str]:
    """The functions that are leaves, as `module:function`."""
    paths = [path for entry in manifest.workflows.values() for path in entry.paths]
    named = [path.callee for path in paths if path.callee and runs_leaf(path, manifest)]
    return sorted({one for callee in named for one in callee.split(" | ")})
