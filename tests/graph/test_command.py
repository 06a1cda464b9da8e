"""`flopod graph`: what it writes, where, and what it says."""

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from flopod.errors import UnknownWorkflow, UsageError
from flopod.graph import FORMATS, Picture, draw
from flopod.manifest import Manifest
from flopod_compiler.cli.group import flopod
from tests.graph.conftest import ORDERS, manifest_of

BEGINNINGS = [("p.svg", "<svg"), ("p.mmd", "flowchart"), ("p.dot", "digraph"), ("p.json", "{")]
TWO = """
from flopod import workflow

def load(name):
    return open(name).read()

@workflow
async def first(name):
    return load(name)

@workflow
async def second(name):
    return await first(name)
"""


@pytest.mark.parametrize("format", FORMATS)
def test_a_picture_goes_to_standard_output(format: str) -> None:
    """It is data: nothing but the picture is there, and what to do next is said beside it."""
    result = CliRunner().invoke(flopod, ["graph", str(ORDERS), "--format", format])
    assert result.exit_code == 0, result.stderr
    assert result.stdout == draw(manifest_of("orders"), "fulfil", format)
    assert f"next: flopod run {ORDERS}" in result.stderr


@pytest.mark.parametrize(("name", "begins"), BEGINNINGS)
def test_the_ending_of_a_file_says_the_format(name: str, begins: str, tmp_path: Path) -> None:
    """The file is written in one step, and its name is all that is printed."""
    path = tmp_path / "new" / name
    result = CliRunner().invoke(flopod, ["graph", str(ORDERS), "-o", str(path)])
    assert result.exit_code == 0, result.stderr
    assert path.read_text().startswith(begins)
    assert result.stdout.strip() == str(path)


def test_one_of_several_workflows_is_drawn(tmp_path: Path) -> None:
    """The first by default, which is said, else the one that is named, with what it calls in its run."""
    (tmp_path / "flow.py").write_text(TWO)
    default = CliRunner().invoke(flopod, ["graph", str(tmp_path), "--format", "mermaid"])
    assert "drawn: first; there is also: second" in default.stderr
    named = CliRunner().invoke(flopod, ["graph", str(tmp_path), "second", "--format", "json"])
    read = msgspec.json.decode(named.stdout, type=Picture)
    assert [node.path for node in read.nodes if node.path] == ["first", "first/load"]
    unknown = CliRunner().invoke(flopod, ["graph", str(tmp_path), "third"])
    assert unknown.exit_code == 2
    assert "no workflow is called 'third'; there is: first, second" in unknown.stderr


def test_a_source_with_errors_is_not_drawn(tmp_path: Path) -> None:
    """The findings are shown as by `check`."""
    (tmp_path / "flow.py").write_text(
        "from flopod import workflow\n\n@workflow\nasync def f():\n    yield 1\n"
    )
    result = CliRunner().invoke(flopod, ["graph", str(tmp_path)])
    assert result.exit_code == 1
    assert "FLP" in result.stderr
    assert result.stdout == ""


def test_what_cannot_be_drawn_is_said() -> None:
    """An unknown workflow or format, and a manifest that kept nothing to draw."""
    manifest = manifest_of("orders")
    with pytest.raises(UnknownWorkflow, match="there is: fulfil"):
        draw(manifest, "fulfill", "svg")
    with pytest.raises(UsageError, match="there is: svg, mermaid, dot, json"):
        draw(manifest, "fulfil", "png")
    with pytest.raises(UsageError, match="build it again"):
        draw(msgspec.structs.replace(manifest, ir={}), "fulfil", "svg")


def test_a_picture_is_the_same_from_a_manifest_on_disk() -> None:
    """Tools draw from manifest.json what the compiler draws."""
    manifest = manifest_of("orders")
    read = msgspec.json.decode(msgspec.json.encode(manifest), type=Manifest)
    assert draw(read, "fulfil", "svg") == draw(manifest, "fulfil", "svg")
    assert ElementTree.fromstring(draw(read, "fulfil", "svg")).tag.endswith("svg")


def test_the_json_form_has_a_schema() -> None:
    """A server can describe it: every field of nodes, edges and clusters."""
    components = msgspec.json.schema(Picture)["$defs"]
    assert {"Picture", "Node", "Edge", "Cluster", "NodeState"} <= set(components)
    assert {"id", "path", "kind", "x", "y", "width", "height"} <= set(components["Node"]["properties"])
