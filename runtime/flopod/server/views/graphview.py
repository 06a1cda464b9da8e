"""The picture of a workflow, with the states of a run in it."""

from collections.abc import Sequence
from threading import Lock

from flopod.errors import FlopodError
from flopod.events import Record
from flopod.graph import Diagram, diagram_of, states, svg
from flopod.manifest import Manifest
from flopod.server.host import Build

_PICTURES = 64


def graph_svg(build: Build, workflow: str, records: Sequence[Record] | None = None) -> str:
    """Return an SVG element, "" if there is no picture. With records its nodes show what the run has done."""
    diagram = _PICTURED.of(build.manifest, workflow)
    if diagram is None:
        return ""
    return svg(diagram, None if records is None else states(records, diagram), standalone=False)


class _Pictured:
    """The pictures drawn lately, by the ids of their builds: the same id is the same build."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], Diagram | None] = {}
        self._guard = Lock()

    def of(self, manifest: Manifest, workflow: str) -> Diagram | None:
        """Return the picture of a workflow, None if its build has none."""
        key = manifest.build, workflow
        with self._guard:
            if key not in self._known:
                while len(self._known) >= _PICTURES:
                    del self._known[next(iter(self._known))]
                self._known[key] = _drawn(manifest, workflow)
            return self._known[key]


def _drawn(manifest: Manifest, workflow: str) -> Diagram | None:
    try:
        return diagram_of(manifest, workflow)
    except FlopodError:
        return None


_PICTURED = _Pictured()
