"""The process that runs the runs of `flopod dev`: `python -m flopod_compiler.dev.worker [BACKEND]`.

What it runs is an image, which it reads on its standard input.
"""

from __future__ import annotations

import importlib
import os
import sys

import msgspec

SIZE = 8
"""How many bytes say how long the image is."""


def main() -> None:
    """Make the modules of the image importable, and run runs until told to end."""
    from flopod.engine import seed

    seed.settle()
    from flopod.server.worker import work
    from flopod_compiler.dev.course import Course
    from flopod_compiler.dev.image import Image, install
    from flopod_compiler.dev.saying import Terminal

    image = msgspec.msgpack.decode(_document(), type=Image)
    install(image)
    backend = sys.argv[1] if len(sys.argv) > 1 else None
    work(
        image.build,
        importlib.import_module,
        backend,
        adopts_all=True,
        stepping=image.stepping,
        seen=Course(Terminal()),
    )


def _document() -> bytes:
    """What comes first on standard input, after its size; not a byte of what comes then."""
    return _read(int.from_bytes(_read(SIZE)))


def _read(size: int) -> bytes:
    parts = []
    while size:
        part = os.read(0, min(size, 1 << 20))
        if not part:
            sys.exit(1)  # who started this is gone
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


if __name__ == "__main__":
    main()
