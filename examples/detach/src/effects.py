"""What the children of these examples do to the world: a line each in the file that EFFECTS names."""

import os
from pathlib import Path


def file() -> Path:
    """Where the lines go: `effects.txt` in the working directory, if nothing is said."""
    return Path(os.environ.get("EFFECTS", "effects.txt"))


def note(line: str) -> None:
    """Append a line, so that whoever looks, in whichever process, sees what ran and how often."""
    with file().open("a", encoding="utf-8") as out:
        out.write(f"{line}\n")


def noted() -> list[str]:
    """The lines so far, in the order in which they were written."""
    return file().read_text("utf-8").splitlines() if file().exists() else []


def start_afresh() -> None:
    """Forget what earlier programs have noted."""
    file().unlink(missing_ok=True)
