"""A chat pipeline with side chains: analytics, a warm cache and records beside the answer."""
