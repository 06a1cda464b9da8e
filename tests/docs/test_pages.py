"""README, CONTRIBUTING, pages of docs and of examples: every block is true, every link leads somewhere."""

import shutil
from functools import cache
from pathlib import Path

import pytest

from flopod_compiler.build import compile_project
from tests.docs.blocks import Block, agrees, blocks, links
from tests.docs.session import Session
from tests.examples.support import ROOT

PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "docs" / "bundle.md",
    ROOT / "docs" / "compiling.md",
    ROOT / "docs" / "dev.md",
    ROOT / "docs" / "operating.md",
    ROOT / "docs" / "server.md",
    ROOT / "docs" / "detach.md",
    ROOT / "docs" / "hooks.md",
    ROOT / "docs" / "migrations.md",
    ROOT / "docs" / "side-chains.md",
    *sorted((ROOT / "examples").glob("*/*.md")),
]
EVERY_PAGE = [
    *PAGES,
    ROOT / "ARCHITECTURE.md",
    ROOT / "CHANGELOG.md",
    ROOT / "docs" / "reliability.md",
]
TESTED = {
    "bash": {"run", "not run"},
    "python": {"python", "excerpt", "emitted", "not run"},
    "text": {"output"},
}


def name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_block_says_how_it_is_tested(page: Path) -> None:
    """No block of a page is left out silently: each has a mark that fits its language."""
    unmarked = [
        each.place for each in blocks(page, ROOT) if each.mark not in TESTED.get(each.language, set())
    ]
    assert unmarked == []


@pytest.mark.parametrize("page", EVERY_PAGE, ids=name)
def test_links_lead_somewhere(page: Path) -> None:
    """A link of a page to a file of the repository names one that there is."""
    assert [target for target in links(page) if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_excerpts_are_true(page: Path) -> None:
    """Source and emitted code on a page are those of the example."""
    for block in blocks(page, ROOT):
        if block.mark == "excerpt":
            assert block.text in (ROOT / block.argument).read_text("utf-8"), block.place
        elif block.mark == "emitted":
            assert block.text in emitted(*block.argument.split()), block.place


@cache
def emitted(source: str, module: str) -> str:
    """What the compiler makes of a module of a project."""
    return compile_project(ROOT / source).lowered[module].text


@pytest.mark.process
@pytest.mark.parametrize(
    "page", [page for page in PAGES if {"run", "python"} & {b.mark for b in blocks(page, ROOT)}], ids=name
)
def test_commands_print_what_the_page_says(page: Path, tmp_path: Path) -> None:
    """The commands of a page, run in order, print the outputs that follow them."""
    if shutil.which("curl") is None and "curl " in page.read_text("utf-8"):
        pytest.skip("there is no curl")
    start = page.parent.relative_to(ROOT)
    with Session(tmp_path, start) as session:
        for block in blocks(page, ROOT):
            perform(session, block)


def perform(session: Session, block: Block) -> None:
    """Run a block, or compare it with what the last one printed."""
    if block.mark == "run":
        session.run(block)
    elif block.mark == "python":
        session.run_python(block)
    elif block.mark == "output":
        assert agrees(block.text, session.output), f"{block.place} is not what was printed:\n{session.output}"
