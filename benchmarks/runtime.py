"""All that the runtime costs, in one table: steps, resumes, and what an engine does.

The parts say what is measured and against which floor: step.py, resume.py, engine.py. They also run alone.
"""

import sys
from collections.abc import Iterator, Sequence

import engine
import resume
import step
from table import Row, parser, show


def rows(scale: float) -> Iterator[Row]:
    """Every part, with its sizes times `scale`."""

    def sized(full: int) -> int:
        return max(1, round(full * scale))

    yield from step.rows(sized(300), sized(11))
    yield from resume.rows(["sqlite", "file"], sized(100_000), sized(10_000), sized(11))
    yield from engine.rows(["sqlite"], sized(10_000), sized(100_000), sized(50), 60 * scale)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table, or JSON."""
    options = parser(__doc__)
    options.add_argument(
        "--scale", type=float, default=1.0, help="of the sizes that are asked for (default: 1)"
    )
    asked = options.parse_args(arguments)
    return show(rows(asked.scale), asked.json)


if __name__ == "__main__":
    sys.exit(main())
