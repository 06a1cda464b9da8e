"""Annotated user code type-checks under mypy --strict."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_user_code_type_checks() -> None:
    """The decorators and primitives keep the types that the author wrote."""
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "mypy",
            "--strict",
            "--follow-imports=silent",
            "tests/authoring/typed_example.py",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
