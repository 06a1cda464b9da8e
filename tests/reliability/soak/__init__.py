"""Compiled bundles in real processes that are killed again and again."""
