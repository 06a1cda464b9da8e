"""Runs the reviews: one walk over the nodes of a workflow, and one look at each module it reaches."""

from __future__ import annotations

from flopod_compiler.classify.review.arms import review_arms
from flopod_compiler.classify.review.bundled import review_bundled
from flopod_compiler.classify.review.coroutines import review_coroutines
from flopod_compiler.classify.review.errors import review_errors
from flopod_compiler.classify.review.importing import review_import
from flopod_compiler.classify.review.late import review_late_binding
from flopod_compiler.classify.review.looking import review_loops
from flopod_compiler.classify.review.order import review_order
from flopod_compiler.classify.review.places import Places
from flopod_compiler.classify.review.values import review_values
from flopod_compiler.classify.workspace import Workspace
from flopod_compiler.model import SourceModule, WorkflowFunction


def review_workflow(work: Workspace, workflow: WorkflowFunction) -> None:
    """Report what is suspicious in a root workflow; its calls are classified."""
    places = Places.of(work, workflow)
    for review in (
        review_errors,
        review_loops,
        review_coroutines,
        review_late_binding,
        review_arms,
        review_order,
        review_values,
    ):
        review(work, workflow, places)


def review_module(work: Workspace, module: SourceModule) -> None:
    """Report what goes wrong when a module that a workflow reaches is imported, or a part of a bundle."""
    review_import(work, module)
    review_bundled(work, module)
