"""The documentation is executed: its commands run, its outputs and excerpts are true."""
