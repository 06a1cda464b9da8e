"""The cache of emitted modules: what is lowered again, what is not, and that the output never differs."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import NamedTuple

import pytest

from flopod_compiler import build as building
from flopod_compiler import cache as caching
from flopod_compiler.build import Compilation, compile_project
from flopod_compiler.cache import Cache, Entry
from flopod_compiler.fingerprint import fingerprint
from flopod_compiler.lower.edits import Edits
from flopod_compiler.stored import cache_folder, read_stored
from tests.compiler.front.support import write
from tests.harness.cases import FIXTURES

FILES = {
    "shop/__init__.py": "",
    "shop/prices.py": """
        TABLE = {"a": 1}


        def price(sku: str) -> int:
            return len(sku)
        """,
    "shop/orders.py": """
        from flopod import workflow
        from shop.prices import TABLE, price


        @workflow
        async def order(skus: list[str]) -> int:
            total = 0
            for sku in skus:
                total += price(sku)
            print(total, TABLE)
            return total
        """,
    "shop/other.py": """
        import asyncio

        from flopod import workflow


        @workflow
        async def other(n: int) -> int:
            await asyncio.sleep(n)
            return n
        """,
}


class Built(NamedTuple):
    result: Compilation
    lowered: list[str]


class Builds:
    """Compiles a project again and again with one cache, and says which modules were lowered."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = write(root / "src", FILES)
        self.folder = root / "cache"
        self._lowered: list[str] = []
        original = building.lower_module

        def noted(module, *rest):  # type: ignore[no-untyped-def]
            self._lowered.append(module.name)
            return original(module, *rest)

        monkeypatch.setattr(building, "lower_module", noted)

    def edit(self, path: str, old: str, new: str) -> None:
        file = self.root / path
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new))

    def __call__(self) -> Built:
        """Build, and check that the output is that of a build without a cache."""
        self._lowered.clear()
        found = compile_project(self.root, caching=self.folder)
        lowered = list(self._lowered)
        fresh = compile_project(self.root)
        assert found.ok
        assert found.manifest == fresh.manifest
        assert found.diagnostics == fresh.diagnostics
        emitted, expected = (
            {name: (one.text, one.line_map) for name, one in each.lowered.items()} for each in (found, fresh)
        )
        assert emitted == expected
        return Built(found, lowered)


@pytest.fixture
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Builds:
    return Builds(tmp_path, monkeypatch)


def test_an_unchanged_project_is_not_lowered_again(build: Builds) -> None:
    """The second build lowers nothing."""
    assert build().lowered == ["shop.orders", "shop.other"]
    assert build().lowered == []


def test_a_changed_file_is_lowered_alone(build: Builds) -> None:
    """Only the module with the change is lowered, and going back costs the same."""
    build()
    build.edit("shop/other.py", "return n", "return n + 1")
    assert build().lowered == ["shop.other"]
    build.edit("shop/other.py", "return n + 1", "return n")
    assert build().lowered == ["shop.other"]


def test_a_pure_function_that_gets_an_effect_changes_its_callers(build: Builds) -> None:
    """An edit of another file that makes a call durable lowers the caller, whose own text is the same."""
    build()
    build.edit("shop/prices.py", "return len(sku)", "return len(open(sku).read())")
    done = build()
    assert done.lowered == ["shop.orders"]
    assert 'wf_sku.activity("price", price, sku)' in done.result.lowered["shop.orders"].text


def test_a_constant_that_the_program_changes_is_recorded(build: Builds) -> None:
    """An edit of a module that nobody imports can change what a workflow reads."""
    build()
    build.edit("shop/prices.py", 'TABLE = {"a": 1}', "import time\n\nTABLE = (time.time(),)")
    done = build()
    assert done.lowered == ["shop.orders"]
    assert "wf.constant(" in done.result.lowered["shop.orders"].text


def test_a_damaged_cache_is_no_cache(build: Builds) -> None:
    """Cut short, overwritten or turned round anywhere, it is built anew, and then it is whole again."""
    build()
    (file,) = build.folder.iterdir()
    whole = file.read_bytes()
    for damaged in (b"", whole[:20], whole[:-3], whole[:200] + b"?" + whole[201:], whole + b"x"):
        file.write_bytes(damaged)
        assert build().lowered == ["shop.orders", "shop.other"]
        assert file.read_bytes() == whole


def test_another_compiler_does_not_use_it(build: Builds, monkeypatch: pytest.MonkeyPatch) -> None:
    """What another version of the compiler, of libcst or of Python emitted is not taken over."""
    build()
    monkeypatch.setattr(caching, "made_by", lambda: "another")
    assert build().lowered == ["shop.orders", "shop.other"]


def test_a_folder_that_cannot_be_written_is_no_cache(build: Builds) -> None:
    """A file where the folder should be stops no build."""
    build.folder.write_text("in the way")
    assert build().lowered == ["shop.orders", "shop.other"]
    assert build().lowered == ["shop.orders", "shop.other"]


def test_builds_at_the_same_time_leave_a_whole_cache(tmp_path: Path) -> None:
    """Writers replace the file in one step: a reader finds the entries of one of them."""
    entries = {name: Entry(name * 8, name * 50_000, list(range(1000))) for name in "abcdefgh"}
    done = threading.Event()
    seen: list[int] = []

    def write_on(name: str) -> None:
        for _ in range(30):
            cache = Cache(tmp_path / name, tmp_path)
            cache._path = tmp_path / "shared.cache"
            cache.put(name, entries[name])
            cache.save()

    def read_on() -> None:
        while not done.is_set():
            found = read_stored(tmp_path / "shared.cache", caching._File)
            assert found is not None
            seen.append(len(found.emitted))

    reader = threading.Thread(target=read_on)
    writers = [threading.Thread(target=write_on, args=(name,)) for name in entries]
    write_on("a")
    for thread in (reader, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    done.set()
    reader.join()
    assert seen
    assert set(seen) == {1}


def test_the_folder_is_the_users_unless_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """`$FLOPOD_CACHE_DIR` names it and, empty, turns it off."""
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    monkeypatch.delenv("FLOPOD_CACHE_DIR", raising=False)
    assert cache_folder() == Path("/somewhere/flopod")
    monkeypatch.setenv("FLOPOD_CACHE_DIR", "/elsewhere")
    assert cache_folder() == Path("/elsewhere")
    monkeypatch.setenv("FLOPOD_CACHE_DIR", "")
    assert cache_folder() is None


def test_every_case_is_the_same_from_the_cache(tmp_path: Path) -> None:
    """The cases, built twice with a cache: the second time nothing is lowered, and the text is the same."""
    for case in sorted(FIXTURES.glob("*/input"))[::10]:
        first, second = (compile_project(case, caching=tmp_path) for _ in range(2))
        assert first.manifest == second.manifest
        assert [one.text for one in first.lowered.values()] == [one.text for one in second.lowered.values()]


def test_what_has_no_fingerprint_is_refused() -> None:
    """A kind of edit that nobody has thought of is an error, and never left out of the digest."""
    edits = Edits()
    edits.matches[1, 2] = object()  # type: ignore[assignment]
    with pytest.raises(TypeError, match="no fingerprint of object"):
        fingerprint("", edits)
