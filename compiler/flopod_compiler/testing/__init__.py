"""Compiled sources for the harness of tests, and the plugin that gives it to pytest."""
