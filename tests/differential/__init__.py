"""Random programs, and compilers that are broken on purpose."""
