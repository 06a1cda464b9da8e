"""Where nobody reads what a run says, the run goes on."""

import subprocess
import sys
from pathlib import Path

SOURCE = """from flopod import workflow

def shout(text):
    print("leaf", text, flush=True)
    return text.upper()

@workflow
def main(text):
    print("body", flush=True)
    return shout(text)
"""


def test_a_leaf_that_prints_to_a_full_device_does_not_fail(tmp_path: Path) -> None:
    """A dead log pipe must not become the recorded failure of a leaf."""
    (tmp_path / "flow.py").write_text(SOURCE, encoding="utf-8")
    command = [sys.executable, "-m", "flopod_compiler.cli", "run", str(tmp_path), "--input", '["a"]']
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = subprocess.run(
            [*command, "--backend", "memory"], stdout=subprocess.PIPE, stderr=full, check=False
        )
    assert (done.returncode, done.stdout) == (0, b'"A"\n')
