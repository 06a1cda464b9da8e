"""Every function of sources that nobody wrote for the compiler, taken as a workflow by itself."""

from __future__ import annotations

import asyncio
import email
from pathlib import Path
from types import ModuleType

import pytest
from click.testing import CliRunner

from flopod_compiler import survey as surveying
from flopod_compiler.cli.check import check
from flopod_compiler.survey import survey
from tests.compiler.front.support import write

MIXED = '''\
"""One of each."""

import os


def double(n: int) -> int:
    # twice
    return  n * 2


def note(text: str) -> None:
    os.mkdir(text)
    print(double(len(text)))


def each(texts: list[str]):
    yield from texts
'''


def test_each_function_is_compiled_left_alone_or_refused(tmp_path: Path) -> None:
    """What is pure stays as it is, what has effects is compiled, and a rule names what it refuses."""
    write(tmp_path, {"mixed.py": MIXED})
    found = survey(tmp_path)
    assert (found.compiled, [one.name for one in found.unchanged], found.refused_functions) == (
        1,
        ["double"],
        1,
    )
    assert found.refused == {"FLP602": 1}
    assert "    # twice\n    return  n * 2\n" in found.lowered["mixed"].text
    assert 'wf.activity("mkdir", os.mkdir, text)' in found.lowered["mixed"].text


def test_a_call_of_another_function_is_that_of_a_leaf(tmp_path: Path) -> None:
    """Each function is a workflow by itself only: for the others it is what it is."""
    write(tmp_path, {"mixed.py": MIXED + "\n\ndef twice(text: str) -> None:\n    note(text * 2)\n"})
    found = survey(tmp_path)
    assert (found.compiled, found.refused) == (2, {"FLP602": 1})
    assert 'wf.activity("note", note, text * 2)' in found.lowered["mixed"].text


@pytest.mark.parametrize("package", [asyncio, email], ids=["asyncio", "email"])
def test_the_standard_library_compiles_or_is_refused(package: ModuleType) -> None:
    """No function makes the compiler fail, and the functions without effects are the same bytes."""
    assert package.__file__ is not None
    found = survey(Path(package.__file__).parent)
    assert found.faults == []
    assert found.compiled > 0
    kept = [one for one in found.unchanged if one.module.name in found.lowered]
    assert kept
    for one in kept:
        lines = one.module.text.splitlines(keepends=True)
        source = "".join(lines[one.node.lineno - 1 : one.node.end_lineno])
        assert source in found.lowered[one.module.name].text


def test_the_command_counts_and_does_not_fail_for_what_is_refused(tmp_path: Path) -> None:
    """`flopod check --all-functions` prints the tables and ends with status 0."""
    write(tmp_path, {"mixed.py": MIXED})
    done = CliRunner().invoke(check, [str(tmp_path), "--all-functions"])
    assert done.exit_code == 0
    assert "FLP602" in done.stdout


def test_a_fault_of_the_compiler_is_counted_with_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An exception of a pass is no end of the survey: it names the function, and the command fails."""

    def broken(*_: object) -> None:
        raise KeyError("lost")

    write(tmp_path, {"mixed.py": MIXED})
    monkeypatch.setattr(surveying, "lower_module", broken)
    (fault,) = survey(tmp_path).faults
    assert fault.startswith(f"{tmp_path / 'mixed.py'}:11: note: ")
    assert CliRunner().invoke(check, [str(tmp_path), "--all-functions"]).exit_code == 1
