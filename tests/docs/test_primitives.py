"""docs/primitives.md: each example gives what the page says, as plain Python and compiled."""

import asyncio
import inspect
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from flopod import codec
from tests.docs.blocks import Block, blocks
from tests.examples.support import ROOT

EXAMPLES = blocks(ROOT / "docs" / "primitives.md", ROOT)
_FAILS = "fails with "


def test_every_example_says_what_it_gives() -> None:
    """No example is left out."""
    assert {each.mark for each in EXAMPLES} == {"workflow"}


@pytest.mark.parametrize("block", EXAMPLES, ids=lambda block: str(block.line))
def test_examples_run_as_plain_python(block: Block) -> None:
    """The result is the page's, or the error."""
    module: dict[str, Any] = {"__name__": "flow"}
    exec(compile(block.text, block.place, "exec"), module)

    async def main() -> Any:
        found = module["main"]()
        return await found if inspect.isawaitable(found) else found

    if block.argument.startswith(_FAILS):
        with pytest.raises(Exception, match=r".") as found:
            asyncio.run(main())
        assert f"{type(found.value).__name__}: {found.value}" == block.argument.removeprefix(_FAILS)
        assert not getattr(found.value, "__notes__", []), "every compensation succeeded"
    else:
        assert codec.plain(asyncio.run(main())) == json.loads(block.argument)


@pytest.mark.process
@pytest.mark.parametrize("block", EXAMPLES, ids=lambda block: str(block.line))
def test_examples_run_compiled(block: Block, tmp_path: Path) -> None:
    """`flopod run` gives the same."""
    (tmp_path / "flow.py").write_text(block.text, "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "flopod_compiler.cli", "run", ".", "main", "--backend", "memory"],
        cwd=tmp_path,
        env={**os.environ, "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if block.argument.startswith(_FAILS):
        assert done.returncode == 1, done.stderr
        assert done.stderr.strip().endswith(block.argument.removeprefix(_FAILS))
    else:
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout) == json.loads(block.argument)
