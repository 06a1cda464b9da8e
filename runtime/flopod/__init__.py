"""Durable workflows from ordinary Python."""
