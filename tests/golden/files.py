"""A syrupy extension that keeps each golden text as `fixtures/<case>/expected/<name>`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from tests.harness.cases import FIXTURES

if TYPE_CHECKING:
    from syrupy.data import SnapshotCollection
    from syrupy.location import PyTestLocation


class GoldenFile(SingleFileSnapshotExtension):
    """Text files beside the case; line ends are kept as they are."""

    _write_mode = WriteMode.TEXT
    file_extension = ""

    @classmethod
    def dirname(cls, *, test_location: PyTestLocation) -> str:
        call = getattr(test_location.item, "callspec", None)
        case = call.params.get("case") if call is not None else None
        return str(FIXTURES / str(case) / "expected")

    @classmethod
    def get_snapshot_name(cls, *, test_location: PyTestLocation, index: Any = 0) -> str:  # noqa: ARG003
        return str(index)

    @classmethod
    def matches_test_location(cls, *, test_location: PyTestLocation, snapshot_location: str) -> bool:
        return Path(snapshot_location).parent == Path(cls.dirname(test_location=test_location))

    def is_snapshot_location(self, *, location: str) -> bool:  # noqa: ARG002
        return True

    def read_snapshot_data_from_location(
        self,
        *,
        snapshot_location: str,
        snapshot_name: str,  # noqa: ARG002
        session_id: str,  # noqa: ARG002
    ) -> str | None:
        try:
            with Path(snapshot_location).open(encoding="utf-8", newline="") as file:
                return file.read()
        except FileNotFoundError:
            return None

    @classmethod
    def write_snapshot_collection(
        cls,
        *,
        snapshot_collection: SnapshotCollection,
        name_order: dict[str, int] | None = None,  # noqa: ARG003
    ) -> None:
        location = Path(snapshot_collection.location)
        with location.open("w", encoding="utf-8", newline="") as file:
            file.write(str(next(iter(snapshot_collection)).data))
