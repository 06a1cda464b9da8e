"""Findings about code that is translated faithfully, and still unlikely to do what was meant."""

from flopod_compiler.classify.review.run import review_module, review_workflow

__all__ = ["review_module", "review_workflow"]
