"""Every node class of Python's grammar, every field of it, and what the compiler makes of them."""
