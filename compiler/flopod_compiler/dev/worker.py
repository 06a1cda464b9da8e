"""The process that runs the runs of `flopod dev`: `python -m flopod_compiler.dev.worker SRC [BACKEND]`."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path


def main() -> None:
    """Compile SRC, make its modules importable in their compiled form, and run runs until told to end."""
    from flopod.engine import seed

    seed.settle()
    from flopod.server.worker import work
    from flopod_compiler.bundle.inplace import install
    from flopod_compiler.dev.compiling import compile_source

    src, *backend = sys.argv[1:]
    compiled = compile_source(Path(src))
    if compiled.build is None or compiled.compilation is None:
        sys.exit(1)
    install(compiled.compilation)
    work(compiled.build, importlib.import_module, backend[0] if backend else None, adopts_all=True)


if __name__ == "__main__":
    main()
