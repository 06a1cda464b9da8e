"""The same random operations on a store, or an engine, and on a model of it in plain Python."""
