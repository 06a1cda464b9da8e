"""docs/testing.md: its examples are one test file of the orders example, and pass."""

import shutil
import subprocess
import sys
from pathlib import Path

from tests.docs.blocks import blocks, links
from tests.examples.support import EXAMPLES, ROOT
from tests.testing.test_plugin import INSTALLED, PLUGIN

PAGE = ROOT / "docs" / "testing.md"


def test_every_example_is_run() -> None:
    """Each block of Python is a part of the test file, and every link leads somewhere."""
    assert {each.mark for each in blocks(PAGE, ROOT) if each.language == "python"} == {"test"}
    assert [target for target in links(PAGE) if not (PAGE.parent / target).exists()] == []


def test_the_examples_pass(tmp_path: Path) -> None:
    """As pytest runs them in a copy of the example, and again with every run crashed at every write."""
    for name in ("src", "pyproject.toml", "flopod.lock"):
        source = EXAMPLES / "orders" / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, tmp_path / name)
    text = "\n\n".join(each.text for each in blocks(PAGE, ROOT) if each.mark == "test")
    (tmp_path / "test_page.py").write_text(text, "utf-8")
    plugin = [] if INSTALLED else ["-p", PLUGIN]
    command = [sys.executable, "-m", "pytest", *plugin, "-q", "-p", "no:cacheprovider"]
    for option in ([], ["--flopod-crash-matrix"]):
        done = subprocess.run([*command, *option], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout
        assert f"{text.count('def test_')} passed" in done.stdout
