"""Line maps as short text: from the author's line of each emitted line to runs, for people to read."""

from collections.abc import Sequence


def compress_lines(lines: Sequence[int]) -> str:
    """Write a line map as runs: `1:1 14:13 40:` says that line 14 on comes from line 13 on.

    The last run has no target: it is one past the last line. `loader.expand_lines` reads it.
    """
    runs = [
        f"{index + 1}:{line}"
        for index, line in enumerate(lines)
        if index == 0 or line != lines[index - 1] + 1
    ]
    return " ".join([*runs, f"{len(lines) + 1}:"])
