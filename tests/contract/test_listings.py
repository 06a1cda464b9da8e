"""Listings of many runs: filters, texts and pages, the same for every store; and what they cost in SQLite."""

from pathlib import Path

import pytest
from msgspec import Raw

from flopod.backends import Backend, Batch, SqliteBackend, sqlite
from flopod.backends.cipher import Cipher
from flopod.backends.listing import Filter, Page
from flopod.backends.sqlitelisting import query
from flopod.backends.values import ValuesBackend
from flopod.events import Attribute, RunFailed, RunPaused, RunStarted, WaitStarted
from tests.contract.support import KEY, Place, started, step


def _begun(run_id: str, at: int, **attributes: Attribute) -> RunStarted:
    return RunStarted(workflow="w", input=Raw(b"[]"), run_id=run_id, at=at, attributes=attributes)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("JIM", ["attribute"]),
        ("n\u00e4her", ["attribute"]),
        ("N\u00c4HER", ["attribute"]),
        ("kelvin", ["degrees"]),
        ('a "quoted" \\ %', ["quoted"]),
        ("1e-05", ["number"]),
        ("true", ["number"]),
        ("pausing to think", ["paused"]),
        ("no money", ["failed"]),
        ("w", ["paused", "failed", "number", "quoted", "degrees", "attribute"]),
        ("%", ["quoted"]),
        ("_", []),
        ("nowhere", []),
    ],
)
def test_a_text_is_found_as_python_finds_it(store: Backend, text: str, expected: list[str]) -> None:
    """What is in ids, names, errors and attributes is found in any case, however a store goes about it."""
    store.append("attribute", 0, [_begun("attribute", 1, who="Jim N\u00e4her")])
    store.append("degrees", 0, [_begun("degrees", 2, unit="\u212aelvin")])
    store.append("quoted", 0, [_begun("quoted", 3, said='a "QUOTED" \\ % ')])
    store.append("number", 0, [_begun("number", 4, share=1e-05, flag=True)])
    waits = [WaitStarted(path=f"w{number}", event="e") for number in range(40)]
    ending = RunFailed(error=Raw(b"{}"), traceback="ValueError: no money", at=9)
    store.append("failed", 0, [_begun("failed", 5), *waits])
    store.append("failed", 41, [ending])
    store.append("paused", 0, [_begun("paused", 6)])
    store.append("paused", 1, waits)
    store.append("paused", 41, [RunPaused(reason="Pausing to think", at=9)])
    found = [run.run_id for run in store.find(Filter(text=text))]
    is_sealed = isinstance(store, ValuesBackend) and text == "no money"
    assert found == ([] if is_sealed else expected)


def test_what_is_said_of_an_encrypted_error_is_found(tmp_path: Path) -> None:
    """The store below has something else in its place, and is not asked."""
    with ValuesBackend(SqliteBackend(tmp_path / "runs.db"), cipher=Cipher([KEY])) as store:
        store.append("run", 0, [_begun("run", 1), RunFailed(error=Raw(b"{}"), traceback="ValueError: no")])
        assert [run.run_id for run in store.find(Filter(text="is encrypted"))] == ["run"]


def test_a_listing_goes_on_over_many_pieces(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """More runs than a store reads at once come in order, each up to date with its log."""
    monkeypatch.setattr(sqlite, "_PIECE", 7)
    monkeypatch.setattr("flopod.backends.postgres._PIECE", 7)
    writer = place.open()
    names = [f"run{number:02}" for number in range(40)]
    writer.append_many([Batch(name, 0, [started(at=1, run_id=name), *step(0)]) for name in names])
    writer.append_many([Batch(name, 3, step(1)) for name in names])
    for store in (writer, place.open()):
        assert [run.run_id for run in store.open_runs()] == names
        assert [run.run_id for run in store.summaries(limit=20)] == names[:19:-1]
        assert {run.activities_done for run in store.summaries()} == {2}
        assert [run.run_id for run in store.find(Filter(started_after=0, text="RUN3"))] == names[:29:-1]
        assert store.find(Filter(started_before=1)) == store.find(Filter(started_after=1)) == []
        assert len(store.find(Filter(started_before=2, status=["running", "paused"]))) == 40


@pytest.mark.parametrize(
    "page",
    [
        Page(),
        Page(("waiting",)),
        Page(workflow="w"),
        Page(("waiting",), "w"),
        Page(started_after=5),
        Page(("failed",), cursor="5:run"),
        Page(workflow="w", cursor="5:run"),
    ],
)
def test_a_page_costs_as_much_as_it_has(tmp_path: Path, page: Page) -> None:
    """SQLite goes along an index in the order of the listing: it neither sorts nor looks at all runs."""
    store = SqliteBackend(tmp_path / "runs.db")
    wanted = query(page, page.place, 50)
    with store._database.reading as db:
        plan = [row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {wanted.text}", wanted.values)]
    assert len(plan) == 1
    assert ("SEARCH" in plan[0] or page == Page()) and "COVERING INDEX" in plan[0], plan
    store.close()
