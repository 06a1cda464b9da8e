"""What a change can reach is compiled again, and nothing else; the output is always that of a whole build."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.rebuild.support import Rebuilds

FILES = {
    "pyproject.toml": "[tool.flopod]\n",
    "shop/__init__.py": "from shop.prices import price as price\n",
    "shop/tables.py": """
        RATES = {"a": 1}
        LIMIT = 10
        """,
    "shop/deep.py": """
        def rate(sku: str) -> int:
            return len(sku)
        """,
    "shop/prices.py": """
        from shop.deep import rate


        def price(sku: str) -> int:
            return rate(sku) + 1
        """,
    "shop/parts.py": """
        class Part:
            def weigh(self) -> int:
                return 1

            @property
            def size(self) -> int:
                return 2


        class Screw(Part):
            pass
        """,
    "shop/everything.py": "from shop.prices import *\nfrom shop.parts import *\n",
    "orders.py": """
        from flopod import workflow
        from shop import price
        from shop.tables import LIMIT


        @workflow
        async def order(skus: list[str]) -> int:
            total = 0
            for sku in skus:
                total += price(sku)
            return total + LIMIT
        """,
    "loads.py": """
        from flopod import workflow
        from shop.everything import Part


        @workflow
        async def load(parts: list[Part]) -> int:
            total = 0
            for part in parts:
                total += part.weigh() + part.size
            return total
        """,
    "plain.py": """
        import asyncio

        from flopod import workflow


        @workflow
        async def plain(n: int) -> int:
            await asyncio.sleep(n)
            print(n)
            return n
        """,
}
WORKFLOWS = ["loads", "orders", "plain"]


@pytest.fixture
def rebuild(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rebuilds:
    """A project that was built once."""
    found = Rebuilds(tmp_path, monkeypatch)
    for path, text in FILES.items():
        found.write(path, text)
    first = found()
    assert first.result.ok
    assert first.lowered == WORKFLOWS
    return found


# -- nothing is done twice


def test_an_unchanged_project_is_not_even_parsed(rebuild: Rebuilds) -> None:
    """The second build analyses, parses and lowers nothing."""
    built = rebuild()
    assert (built.analysed, built.parsed, built.lowered) == ([], [], [])


def test_a_changed_workflow_is_analysed_and_parsed_alone(rebuild: Rebuilds) -> None:
    """A file that nothing else is about costs what it costs by itself."""
    rebuild.edit("plain.py", "return n", "return n + 1")
    built = rebuild()
    assert (built.analysed, built.parsed, built.lowered) == (["plain"], ["plain.py"], ["plain"])


def test_what_an_analysis_reads_is_parsed_and_no_more(rebuild: Rebuilds) -> None:
    """Of the other modules those are parsed from which the changed one takes something."""
    rebuild.edit("orders.py", "total = 0", "total = 1")
    built = rebuild()
    assert built.analysed == ["orders"]
    needed = ["orders.py", "shop/__init__.py", "shop/deep.py", "shop/prices.py", "shop/tables.py"]
    assert sorted(built.parsed) == needed


def test_a_module_that_no_workflow_needs_changes_nothing(rebuild: Rebuilds) -> None:
    """A new file is parsed, and its own matter."""
    rebuild.write("notes.py", "def note(text: str) -> str:\n    return text.upper()\n")
    built = rebuild()
    assert (built.analysed, built.parsed, built.lowered) == ([], ["notes.py"], [])


def test_an_edit_that_means_the_same_is_analysed_but_not_lowered(rebuild: Rebuilds) -> None:
    """A helper that stays pure gives its callers the same edits, and these the same text."""
    rebuild.edit("shop/deep.py", "len(sku)", "len(sku) * 2")
    built = rebuild()
    assert "orders" in built.analysed
    assert "plain" not in built.analysed
    assert built.lowered == []


def test_a_constant_beside_a_workflow_needs_no_libcst(
    rebuild: Rebuilds, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Statements that are as they were are not emitted again, wherever they stand in the file now."""
    from flopod_compiler.lower import piece

    def never(*_: object) -> None:
        raise AssertionError("nothing is to be emitted")

    monkeypatch.setattr(piece, "lower_piece", never)
    text = (rebuild.root / "plain.py").read_text()
    rebuild.write("plain.py", f"FIRST = 1\n\n{text}\nLAST = 2\n")
    made = rebuild.compile()
    assert made.ok
    assert made.lowered["plain"].text.startswith("FIRST = 1\n")


# -- what reaches further


def test_a_helper_two_imports_away_reaches_its_users(rebuild: Rebuilds) -> None:
    """When it gets an effect, what calls what calls it is a leaf in the workflow; and back."""
    rebuild.edit("shop/deep.py", "return len(sku)", "return len(open(sku).read())")
    built = rebuild()
    assert 'activity("price", price, sku)' in built.emitted("orders")
    assert "plain" not in built.analysed
    rebuild.edit("shop/deep.py", "return len(open(sku).read())", "return len(sku)")
    assert "activity" not in rebuild().emitted("orders")


def test_a_class_that_nobody_imports_overrides_a_method(rebuild: Rebuilds) -> None:
    """A subclass anywhere in the project makes the method of its base a leaf; without it, it is plain."""
    rebuild.write(
        "far.py",
        """
        from shop.parts import Screw


        class Heavy(Screw):
            def weigh(self) -> int:
                return int(open("scale").read())
        """,
    )
    built = rebuild()
    assert "loads" in built.analysed
    assert 'activity("weigh"' in built.emitted("loads")
    rebuild.remove("far.py")
    assert "activity" not in rebuild().emitted("loads")


@pytest.mark.parametrize(
    ("member", "use"),
    [
        ("@property\n    def mass(self) -> int:", "part.mass"),
        ("def __add__(self, other: int) -> int:", "part + 1"),
        ("def __len__(self) -> int:", "len(part)"),
    ],
)
def test_a_base_gets_what_no_class_had(rebuild: Rebuilds, member: str, use: str) -> None:
    """A property or an operator that no class of the project had comes into a base in another file."""
    rebuild.write("base.py", "class Base:\n    mass = 1\n")
    rebuild.edit("shop/parts.py", "class Part:", "from base import Base\n\n\nclass Part(Base):")
    rebuild.write(
        "adds.py",
        f"""
        from flopod import workflow
        from shop.parts import Part


        @workflow
        async def add(part: Part) -> int:
            print(1)
            return {use}
        """,
    )
    before = rebuild().codes
    rebuild.write("base.py", f"class Base:\n    {member}\n        return len(open('x').read())\n")
    assert rebuild().codes != before


def test_a_method_of_that_name_in_a_file_that_nobody_imports(rebuild: Rebuilds) -> None:
    """A receiver of unknown type may be of any class with such a method; one that is added counts."""
    rebuild.write("here.py", "class Here:\n    def go(self) -> int:\n        return 1\n")
    rebuild.write("there.py", "class There:\n    pass\n")
    rebuild.edit("plain.py", "print(n)", "for one in [n]:\n        print(one.go())")
    rebuild.edit("plain.py", "n: int", "n")
    assert "activity" not in rebuild().emitted("plain")
    rebuild.edit("there.py", "pass", "def go(self) -> str:\n        return open('x').read()")
    built = rebuild()
    assert built.analysed == ["plain"]
    assert not built.result.ok or "activity" in built.emitted("plain")


def test_a_property_that_gets_an_effect_is_found_through_a_star(rebuild: Rebuilds) -> None:
    """What a star import gives is followed to its class."""
    rebuild.edit("shop/parts.py", "return 2", 'return int(open("size").read())')
    assert "FLP" in "".join(rebuild().codes)


def test_a_module_variable_that_another_module_changes_is_no_constant(rebuild: Rebuilds) -> None:
    """It may be changed by attribute, by item, through another name, from a module that nobody imports."""
    for text in (
        "import shop.tables\n\n\ndef up() -> None:\n    shop.tables.LIMIT = 11\n",
        "from shop import tables as t\n\n\ndef up() -> None:\n    t.LIMIT += 1\n",
    ):
        rebuild.write("patch.py", text)
        built = rebuild()
        assert "orders" in built.analysed
        assert built.codes == ["FLP408"]
        rebuild.remove("patch.py")
        assert rebuild().codes == []


def test_a_reader_of_a_variable_is_no_change_of_it(rebuild: Rebuilds) -> None:
    """A module that only reads what others read too concerns none of them."""
    rebuild.write("reader.py", "from shop.tables import LIMIT\n\n\ndef show() -> int:\n    return LIMIT\n")
    assert rebuild().analysed == []


def test_a_workflow_that_is_called_is_planned_for_it(rebuild: Rebuilds) -> None:
    """Whether another workflow calls one, and shares objects with it, is no secret to its plan."""
    rebuild.write(
        "caller.py",
        """
        from flopod import workflow
        from orders import order


        @workflow
        async def twice(skus: list[str]) -> int:
            return await order(skus) + await order(skus)
        """,
    )
    built = rebuild()
    assert "orders" in built.analysed
    rebuild.remove("caller.py")
    assert "orders" in rebuild().analysed


def test_a_package_shadows_a_library(rebuild: Rebuilds) -> None:
    """A file or a folder that takes the name of an outside module changes what its importers mean."""
    rebuild.write("asyncio/__init__.py", "async def sleep(n: int) -> None:\n    print(n)\n")
    assert "plain" in rebuild().analysed
    rebuild.remove("asyncio/__init__.py")
    rebuild.write("asyncio/sub.py", "")
    assert "plain" in rebuild().analysed
    rebuild.remove("asyncio/sub.py")
    (rebuild.root / "asyncio").rmdir()
    assert "sleep" in rebuild().emitted("plain")


def test_the_mark_may_come_from_elsewhere(rebuild: Rebuilds) -> None:
    """A decorator that another module hands on is @workflow as long as that module says so."""
    rebuild.write("marks.py", "from flopod import workflow as durable\n")
    rebuild.edit("plain.py", "from flopod import workflow", "from marks import durable as workflow")
    assert rebuild().result.ok
    rebuild.write("marks.py", "def durable(f):\n    return f\n")
    assert "plain" not in rebuild().result.lowered


# -- files and configuration


def test_a_module_moves_into_a_package_and_is_deleted(rebuild: Rebuilds) -> None:
    """Its workflow goes with it, and its ids with the workflow."""
    text = (rebuild.root / "plain.py").read_text()
    rebuild.remove("plain.py")
    rebuild.write("shop/plain.py", text)
    assert rebuild().analysed == ["shop.plain"]
    rebuild.remove("shop/plain.py")
    assert set(rebuild().result.lowered) == {"loads", "orders"}


def test_the_same_name_for_two_workflows_is_found_between_kept_modules(rebuild: Rebuilds) -> None:
    """The finding names the other one, which was not looked at again."""
    rebuild.edit("plain.py", "async def plain", "async def order")
    built = rebuild()
    assert "FLP008" in built.codes or not built.result.ok
    assert "orders" not in built.analysed


def test_what_the_configuration_says_counts(rebuild: Rebuilds) -> None:
    """Functions that it calls leaves or pure, and workflows that it lists, each change what they reach."""
    rebuild.write("pyproject.toml", '[tool.flopod]\nleaves = ["shop.prices:price"]\n')
    assert 'activity("price"' in rebuild().emitted("orders")
    rebuild.write("pyproject.toml", '[tool.flopod]\nworkflows = ["listed:flow"]\n')
    rebuild.write("listed.py", "async def flow(n: int) -> int:\n    print(n)\n    return n\n")
    built = rebuild()
    assert "print" in built.emitted("listed")
    assert "activity" not in built.emitted("orders")
    rebuild.write("pyproject.toml", '[tool.flopod]\n\nworkflows = ["listed:flaw"]\n')
    assert not rebuild().result.ok
    rebuild.write("pyproject.toml", '\n\n[tool.flopod]\n\nworkflows = ["listed:flaw"]\n')
    assert not rebuild().result.ok
    rebuild.write("pyproject.toml", "[tool.flopod]\n")
    assert "listed" not in rebuild().result.lowered


def test_errors_come_and_go(rebuild: Rebuilds) -> None:
    """A build with errors keeps what was found out about the other modules, and goes on from there."""
    rebuild.edit("plain.py", "return n", "return n +")
    assert not rebuild().result.ok
    assert not rebuild().result.ok
    rebuild.edit("plain.py", "return n +", "return [x async for x in n]")
    assert not rebuild().result.ok
    rebuild.edit("plain.py", "[x async for x in n]", "n")
    built = rebuild()
    assert built.result.ok
    assert "orders" not in built.analysed


def test_pragmas_silence_and_are_told_when_they_do_not(rebuild: Rebuilds) -> None:
    """The warnings of a kept module meet the pragmas of its text."""
    rebuild.edit("plain.py", "print(n)", "assert await asyncio.sleep(0, n)")
    assert "FLP310" in rebuild().codes
    rebuild.edit("plain.py", "sleep(0, n)", "sleep(0, n)  # flopod: ignore[FLP310] it is meant")
    assert rebuild().codes == []
    assert rebuild().codes == []
    rebuild.edit("plain.py", "assert await asyncio.sleep(0, n)", "await asyncio.sleep(0)")
    assert "FLP310" not in rebuild().codes


def test_warnings_about_ids_are_given_for_kept_modules(rebuild: Rebuilds) -> None:
    """A finding of the naming, which is done anew each time, and its severity under --strict."""
    rebuild.edit("plain.py", "print(n)", "await asyncio.sleep(n)\n    await asyncio.sleep(n)")
    (rebuild.root / "flopod.lock").unlink(missing_ok=True)
    assert rebuild().codes == ["FLP501"]
    (rebuild.root / "flopod.lock").unlink(missing_ok=True)
    assert rebuild(strict=True).codes == ["FLP501"]
    (rebuild.root / "flopod.lock").unlink(missing_ok=True)
    assert rebuild().codes == ["FLP501"]


def test_the_lock_decides_about_kept_modules_too(rebuild: Rebuilds) -> None:
    """Another lock gives other ids: the module is emitted with them, though nothing in it has changed."""
    rebuild.edit(
        "plain.py", "await asyncio.sleep(n)", "await asyncio.sleep(n + 1)\n    await asyncio.sleep(n)"
    )
    rebuild()
    lock = rebuild.root / "flopod.lock"
    kept = lock.read_text()
    lock.unlink()
    rebuild()
    lock.write_text(kept.replace('"sleep#(n)"', '"sleep#later"'))
    rebuild()
    lock.write_text(kept)
    rebuild()
