"""Notices that a source has changed, by looking at its files: no library is needed, no notice gets lost."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

from flopod.errors import UsageError
from flopod_compiler.configuration import configuration_file
from flopod_compiler.project import source_files

_SECONDS = 0.2

Seen = Mapping[Path, tuple[int, int]]


def look(src: Path) -> Seen:
    """Return time and size of every file that a build of `src` reads."""
    try:
        root, files = source_files(src)
    except UsageError:
        return {}
    seen: dict[Path, tuple[int, int]] = {}
    configuration = configuration_file(root)
    for path in files if configuration is None else (*files, configuration):
        try:
            stat = path.stat()
        except OSError:
            continue
        seen[path] = stat.st_mtime_ns, stat.st_size
    return seen


async def changed(src: Path, seen: Seen) -> Seen:
    """Wait until `src` is not what it was, and has been at rest for a moment; return what it is then."""
    while True:
        await asyncio.sleep(_SECONDS)
        now = await asyncio.to_thread(look, src)
        if now != seen:
            break
    while True:
        await asyncio.sleep(_SECONDS / 4)
        later = await asyncio.to_thread(look, src)
        if later == now:
            return now
        now = later
