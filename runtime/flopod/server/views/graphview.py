"""The picture of a workflow, with the states of a run in it."""

from collections.abc import Sequence

from flopod.events import Record
from flopod.server.host import Build


def graph_svg(build: Build, workflow: str, records: Sequence[Record] | None = None) -> str:
    """Return an SVG element, "" if there is no picture. With records its nodes show what the run has done."""
    del build, workflow, records
    return ""
