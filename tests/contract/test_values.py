"""Values that are encrypted, and large ones that are kept apart from the log."""

import os
from pathlib import Path

import pytest
from msgspec import Raw

from flopod import codec
from flopod.backends import FileBackend, MemoryBackend, SqliteBackend
from flopod.backends.base import Backend
from flopod.backends.choose import choose
from flopod.backends.cipher import Cipher
from flopod.backends.values import ValuesBackend
from flopod.errors import BadInput, DamagedLog
from flopod.events import ActivityCompleted, Log, RunFailed, RunStarted
from tests.contract.support import KEY

OTHER = "ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA="
SECRET = "4111-1111-1111-1111"
EVENTS = [
    RunStarted(workflow="pay", input=Raw(codec.encode([SECRET])), run_id="r", attributes={"customer": "c1"}),
    ActivityCompleted(path="charge", result=Raw(codec.encode({"card": SECRET}))),
    Log(message=f"charged {SECRET}"),
    RunFailed(error=Raw(codec.encode(ValueError(SECRET))), traceback=f"ValueError: {SECRET}"),
]


def filled(store: Backend) -> Backend:
    """Write the events, a delivery and a document with the secret."""
    store.append("r", 0, EVENTS)
    store.deliver("r", "approved", "approved", Raw(codec.encode(SECRET)))
    store.keep("notes", "n", SECRET.encode())
    return store


@pytest.mark.parametrize("kind", ["file", "sqlite"])
def test_nothing_of_the_author_is_readable_on_disk(kind: str, tmp_path: Path) -> None:
    """Not in the log, the summary, the inbox or the documents; ids and attributes are."""
    inner: Backend = FileBackend(tmp_path) if kind == "file" else SqliteBackend(tmp_path / "runs.db")
    with ValuesBackend(inner, cipher=Cipher([KEY])) as store:
        filled(store)
        assert [record.event for record in store.load("r")] == EVENTS
        assert codec.decode(store.inbox("r")[0].payload) == SECRET
        assert store.kept("notes", "n") == SECRET.encode()
        assert SECRET not in store.summaries()[0].error
    data = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    assert SECRET.encode() not in data
    assert b"c1" in data


def test_keys_are_changed_by_a_new_first_one() -> None:
    """What the old key wrote stays readable; without it the log is refused, and nothing is lost."""
    inner = MemoryBackend()
    filled(ValuesBackend(inner, cipher=Cipher([KEY])))
    both = ValuesBackend(inner, cipher=Cipher([OTHER, KEY]))
    assert [record.event for record in both.load("r")] == EVENTS
    both.append("s", 0, EVENTS[1:2])
    assert ValuesBackend(inner, cipher=Cipher([OTHER])).load("s")[0].event == EVENTS[1]
    for store in (ValuesBackend(inner, cipher=Cipher([OTHER])), ValuesBackend(inner)):
        with pytest.raises(DamagedLog, match=r"decrypted|FLOPOD_ENCRYPTION_KEYS"):
            store.load("r")
    assert [record.event for record in both.load("r")] == EVENTS


def test_large_values_are_kept_apart_and_go_with_their_run() -> None:
    """The log stays small; the value is there when it is read, and gone with the run."""
    inner = MemoryBackend()
    store = ValuesBackend(inner, large=1000)
    large = ActivityCompleted(path="a", result=Raw(codec.encode("x" * 100_000)))
    store.append("r", 0, [EVENTS[0], large, large])
    assert sum(map(len, inner.lines("r"))) < 2000
    assert len(inner.all_kept("values")) == 1
    assert [record.event for record in store.load("r")] == [EVENTS[0], large, large]
    store.append("other", 0, [large])
    store.delete("r")
    assert [record.event for record in store.load("other")] == [large]
    for name in inner.all_kept("values"):
        inner.drop("values", name)
    with pytest.raises(DamagedLog, match="missing"):
        store.load("other")


def test_the_environment_gives_the_keys(tmp_path: Path) -> None:
    """FLOPOD_ENCRYPTION_KEYS holds keys, FLOPOD_LARGE_VALUES a size; wrong ones say so."""
    here = {"FLOPOD_DATA_DIR": str(tmp_path)}
    store = choose(
        "file", {**here, "FLOPOD_ENCRYPTION_KEYS": f"{OTHER}, {KEY}", "FLOPOD_LARGE_VALUES": "100"}
    )
    assert "encrypted" in store.describe()
    assert choose("file", here).describe() == f"files in {tmp_path}"
    for wrong in ({"FLOPOD_ENCRYPTION_KEYS": "short"}, {"FLOPOD_LARGE_VALUES": "much"}):
        with pytest.raises(BadInput):
            choose("file", {**here, **wrong})
    assert "FLOPOD_ENCRYPTION_KEYS" not in os.environ
