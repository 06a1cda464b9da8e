"""Runs one program plain and compiled under the same oracle, and compares what can be seen of both."""
