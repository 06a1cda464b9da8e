"""The bundle as a file: reproducible, readable, self-contained, honest about what it needs."""

import ast
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from flopod_compiler.bundle.link import Linked, link
from flopod_compiler.bundle.runtime import linked_runtime
from tests.bundle.support import compilation, linked, project

RUN = "async def run(value):\n    return value\n"
SCRIPT_BLOCK = re.compile(r"(?m)^# /// (?P<type>[a-zA-Z0-9-]+)$\s(?P<content>(^#(| .*)$\s)+)^# ///$")


def _metadata(bundle: bytes) -> dict[str, Any]:
    blocks = [match for match in SCRIPT_BLOCK.finditer(bundle.decode()) if match["type"] == "script"]
    assert len(blocks) == 1
    lines = blocks[0]["content"].splitlines()
    return tomllib.loads("\n".join(line[2:] for line in lines))


def _link(tmp_path: Path, source: str, **more: str | bytes) -> Linked:
    return linked(tmp_path / "src", {"main.py": source + RUN, **more}, "main")


def test_a_runtime_module_that_only_the_program_imports_is_linked(tmp_path: Path) -> None:
    """With what it imports in its turn."""
    bare = _link(tmp_path / "bare", "import json\n").content
    assert b'BUNDLE.module("flopod.detach.worker"' not in bare
    found = _link(tmp_path, "from flopod.detach.worker import create_worker_driver\n").content
    for name in (b"flopod.detach", b"flopod.detach.worker", b"flopod.detach.workers.serve"):
        assert b'BUNDLE.module("%s"' % name in found


def test_the_same_sources_give_the_same_bytes(tmp_path: Path) -> None:
    """Neither the place of the sources nor anything of the moment shows in a bundle."""
    files: dict[str, str | bytes] = {"main.py": "import attrs\n" + RUN, "data/x.json": "{}"}
    bundles = [linked(tmp_path / name / "src", files, "main", None, ("data/*",)).content for name in "ab"]
    assert bundles[0] == bundles[1]
    assert str(tmp_path).encode() not in bundles[0]


def test_the_header_is_inline_script_metadata(tmp_path: Path) -> None:
    """A script runner reads Python version, pinned requirements and the build from the header."""
    source = '# /// script\n# dependencies = ["evil"]\n# ///\nimport attrs, json\n'
    found = _link(tmp_path, source)
    metadata = _metadata(found.content)
    assert metadata["requires-python"] == ">=3.11"
    assert [each.partition("==")[0] for each in metadata["dependencies"]] == ["attrs", "msgspec"]
    assert metadata["tool"]["flopod"]["build"] == "b" * 64
    assert found.requirements == metadata["dependencies"]


def test_an_import_that_is_not_installed_is_a_diagnostic(tmp_path: Path) -> None:
    """FLP705 names the module and the place of the import."""
    found = _link(tmp_path, "import json\n\nimport no_such_thing.sub\n")
    (diagnostic,) = found.diagnostics
    assert (diagnostic.code, diagnostic.path, diagnostic.span.line) == ("FLP705", "main.py", 3)
    assert "'no_such_thing'" in diagnostic.message
    assert "pip install no-such-thing" in diagnostic.help


def test_an_optional_import_that_is_missing_is_no_requirement(tmp_path: Path) -> None:
    """A source that copes without a module can be bundled without it."""
    found = _link(tmp_path, "try:\n    import no_such_thing\nexcept ImportError:\n    no_such_thing = None\n")
    assert not found.diagnostics
    assert [each.partition("==")[0] for each in found.requirements] == ["msgspec"]


def test_an_installed_flopod_is_no_requirement(tmp_path: Path) -> None:
    """The runtime travels in the bundle, so that `import flopod` needs nothing installed."""
    found = _link(tmp_path, "import flopod\n")
    assert [each.partition("==")[0] for each in found.requirements] == ["msgspec"]


def test_new_syntax_raises_the_required_python(tmp_path: Path) -> None:
    """A bundle asks for the lowest Python that can read it."""
    source = "type Pair = tuple[int, int]\n"
    try:
        ast.parse(source)
    except SyntaxError:
        pytest.skip("this interpreter cannot read the source itself")
    assert _link(tmp_path, source).python == "3.12"


def test_modules_are_embedded_word_for_word(tmp_path: Path) -> None:
    """A person finds the own source in the bundle as it was written."""
    source = 'PATTERN = r"\\d+\\s"  # a comment\n'
    assert source.encode() + RUN.encode() in _link(tmp_path, source).content


def test_a_pattern_that_matches_nothing_is_a_warning(tmp_path: Path) -> None:
    """A misspelled include pattern does not go unnoticed."""
    found = linked(tmp_path / "src", {"main.py": RUN}, "main", None, ("dta/*.json",))
    (diagnostic,) = found.diagnostics
    assert (diagnostic.code, diagnostic.severity) == ("FLP708", "warning")
    assert "dta/*.json" in diagnostic.message


@pytest.mark.parametrize("pattern", ["../secret.txt", "/etc/hosts"])
def test_files_outside_of_the_source_root_are_not_included(tmp_path: Path, pattern: str) -> None:
    """A pattern cannot reach out of the source root."""
    (tmp_path / "secret.txt").write_text("secret")
    found = linked(tmp_path / "src", {"main.py": RUN}, "main", None, (pattern,))
    assert b"secret" not in found.content.replace(b"secrets", b"")


def test_an_included_python_file_is_importable(tmp_path: Path) -> None:
    """A module that is imported by a computed name is linked when `include` names it."""
    files: dict[str, str | bytes] = {"main.py": RUN, "plugins/one.py": "X = 1\n"}
    found = linked(tmp_path / "src", files, "main", None, ("plugins/*.py",))
    assert found.modules == ["main", "plugins.one"]


def test_a_compilation_with_errors_is_not_linked(tmp_path: Path) -> None:
    """Linking needs a manifest."""
    broken = compilation(project(tmp_path / "src", {"main.py": RUN}), {"run": "main:run"})
    broken.manifest = None
    with pytest.raises(ValueError, match="with errors"):
        link(broken)


def test_the_runtime_that_is_linked_is_the_jobs() -> None:
    """The job and the three stores travel; no server and nothing of the compiler does."""
    names = set(linked_runtime())
    assert {"flopod", "flopod.engine.job", "flopod.codec", "flopod.authoring"} <= names
    assert {"flopod.backends.memory", "flopod.backends.file", "flopod.backends.sqlite"} <= names
    assert not any(name.startswith(("flopod_compiler", "flopod.server")) for name in names)


def test_the_linked_runtime_needs_msgspec_and_nothing_else() -> None:
    """Whatever the linked runtime imports is in the standard library, in the bundle, or msgspec."""
    import sys

    from flopod_compiler.bundle.imports import imports_of

    for name, (path, source) in linked_runtime().items():
        for each in imports_of(ast.parse(source), name, path.endswith("__init__.py")):
            top = each.name.partition(".")[0]
            assert each.optional or top in sys.stdlib_module_names | {"flopod", "msgspec"}, (name, each.name)
