"""The cases of `fixtures/`: what is emitted, what is said, and that both forms of each do the same."""
