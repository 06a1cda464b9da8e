"""The command tree as a whole: its reference page, its start-up cost, its suggestions."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from flopod_compiler.cli.deliver import flopod_run
from flopod_compiler.cli.group import flopod
from flopod_compiler.cli.reference import reference
from tests.cli.lines import accepted

PAGE = Path(__file__).parents[2] / "docs" / "cli.md"
HEAVY = ("asyncio", "jinja2", "libcst", "msgspec", "sqlite3", "starlette")


def _commands(group: click.Group) -> list[click.Command]:
    below = list(group.commands.values())
    return below + [inner for each in below if isinstance(each, click.Group) for inner in _commands(each)]


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="argparse words its help differently")
def test_the_reference_is_current() -> None:
    """The page in docs/ is what the commands say about themselves."""
    assert PAGE.read_text(encoding="utf-8") == reference(), (
        "run python -m flopod_compiler.cli.reference docs/cli.md"
    )


@pytest.mark.parametrize("command", _commands(flopod), ids=lambda command: str(command.name))
def test_every_command_and_option_is_explained(command: click.Command) -> None:
    """No command and no option is without help."""
    assert command.help
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, parameter.name


def _examples(command: click.Command) -> list[str]:
    return [line.strip() for line in (command.epilog or "").splitlines() if line.startswith("  ")]


@pytest.mark.parametrize(
    "command",
    [one for one in _commands(flopod) if not isinstance(one, click.Group)],
    ids=lambda command: str(command.name),
)
def test_every_command_has_an_example_that_works(
    command: click.Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its help ends with a line of its own that it takes, and there are few."""
    monkeypatch.chdir(tmp_path)
    for name in ("main-run.jsonl", "manifest.json"):
        (tmp_path / "dist").mkdir(exist_ok=True)
        (tmp_path / name).touch()
        (tmp_path / "dist" / name).touch()
    lines = _examples(command)
    assert 1 <= len(lines) <= 4
    for line in lines:
        assert f"{command.name} " in line
        assert accepted(line.removeprefix('eval "$(').removesuffix(')"'))


def test_help_imports_nothing_heavy() -> None:
    """`flopod --help` answers before compiler, runtime and storage are loaded."""
    code = "import sys\nimport flopod_compiler.cli.group\nprint(sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert [name for name in HEAVY if f"'{name}'" in loaded] == []


@pytest.mark.parametrize(
    ("group", "arguments", "words"),
    [
        (flopod, ["biuld", "src"], "Did you mean 'build'?"),
        (flopod, ["build", "--outptu", "x", "src"], "Did you mean '--output'?"),
        (flopod, ["runs", "lst"], "Did you mean 'list'?"),
        (flopod_run, ["delivr"], "Did you mean 'deliver'?"),
    ],
)
def test_a_typo_gets_a_suggestion(group: click.Group, arguments: list[str], words: str) -> None:
    """A misspelled command or option ends with status 2 and the right spelling."""
    result = CliRunner().invoke(group, arguments)
    assert result.exit_code == 2
    assert words in result.output


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
def test_completion_scripts_are_printed(shell: str) -> None:
    """Each shell gets a script that asks flopod for completions."""
    result = CliRunner().invoke(flopod, ["completion", shell])
    assert result.exit_code == 0
    assert "_FLOPOD_COMPLETE" in result.output


def test_the_version_is_printed() -> None:
    """`flopod --version` names program and version on standard output."""
    assert CliRunner().invoke(flopod, ["--version"]).stdout.startswith("flopod 0.")
