"""A census of the standard library of this machine: its modules measured one by one, in a report."""
