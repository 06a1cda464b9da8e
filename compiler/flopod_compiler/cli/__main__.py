"""`python -m flopod_compiler.cli` is the `flopod` command."""

from flopod_compiler.cli import main

main()
