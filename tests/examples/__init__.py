"""Each example is built, run by an interpreter that has only what its bundle requires, and killed."""
