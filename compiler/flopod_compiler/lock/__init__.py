"""`flopod.lock`: the ids of durable calls, kept while the source is edited."""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from flopod.manifest import Manifest
from flopod_compiler.lock.match import Matching, explicit_id, match_calls
from flopod_compiler.lock.model import Lock
from flopod_compiler.lock.moves import match_moved
from flopod_compiler.lock.paths import edits_of, ended_calls, moves_of, renamed_of
from flopod_compiler.lock.renames import find_renames
from flopod_compiler.lock.shapes import Described, describe
from flopod_compiler.lock.text import lock_path, lock_text, parse_lock, read_lock
from flopod_compiler.lock.today import Function, Scope, functions_of
from flopod_compiler.lock.update import Change, Update, update
from flopod_compiler.sites import Site, SiteScope


@dataclass(slots=True)
class Locked:
    """The lock of a project beside its source of today: what is recognised, before ids are given."""

    path: Path
    before: Lock | None
    today: dict[str, Function]
    workflows: dict[str, str]
    matching: Matching

    def kept(self) -> dict[Site, str]:
        """The id of every site that has kept it."""
        matching = self.matching
        return {
            call.site: old.entry.id
            for call, old in matching.kept.items()
            if call not in matching.moved and explicit_id(call) in (None, old.entry.id)
        }

    def spent(self) -> dict[SiteScope, frozenset[str]]:
        """The ids that were ever given away in each scope: no new call gets one of them."""
        found: dict[SiteScope, frozenset[str]] = {}
        for key, function in self.today.items():
            old = self.matching.functions.get(key, "")
            ids: dict[str, set[str]] = {}
            for entry in self.before.functions.get(old, ()) if self.before else ():
                ids.setdefault(entry.scope, set()).add(entry.id)
            self._spend(function.scope, "", ids, found)
        return found

    def _spend(
        self, scope: Scope, path: str, ids: dict[str, set[str]], found: dict[SiteScope, frozenset[str]]
    ) -> None:
        found[scope.site_scope] = frozenset(ids.get(path, ()))
        for call in scope.calls:
            old = self.matching.kept.get(call)
            if call.inner is not None and old is not None:
                self._spend(call.inner, old.entry.path, ids, found)

    def update(self, build: str, parameters: dict[str, list[str]]) -> Update:
        """The lock of this build, when every site has its id; `parameters` is what each workflow takes."""
        return update(self.before, self.today, self.workflows, parameters, self.matching, build)


def match_lock(
    described: Iterable[Described],
    workflows: dict[str, str],
    defined: Container[str],
    path: Path,
    before: Lock | None,
) -> Locked:
    """Recognise the calls of today's functions in the lock `before`.

    `workflows` gives the function of each workflow by its name, `defined` all functions of the project.
    """
    today = functions_of(described)
    renames = find_renames(before or Lock(), today, workflows, defined)
    matching = match_calls(before or Lock(), today, renames)
    if before is not None:
        match_moved(before, today, renames, matching)
    return Locked(path, before, today, workflows, matching)


def with_lock(manifest: Manifest, update: Update) -> Manifest:
    """The manifest with what the runtime has to know about the builds before."""
    lock = update.lock
    ended = ended_calls(lock)
    workflows = {
        name: msgspec.structs.replace(
            entry,
            edits=edits_of(lock, name, ended),
            moves=moves_of(lock, name),
            renamed=renamed_of(lock, name),
        )
        for name, entry in manifest.workflows.items()
    }
    generations = {one.id: list(one.after) for one in lock.generations}
    return msgspec.structs.replace(
        manifest, workflows=workflows, generation=update.generation, generations=generations
    )


__all__ = [
    "Change",
    "Described",
    "Lock",
    "Locked",
    "Update",
    "describe",
    "lock_path",
    "lock_text",
    "match_lock",
    "parse_lock",
    "read_lock",
    "with_lock",
]
