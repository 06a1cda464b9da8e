"""A workflow of a source, and an input that a command was given, read by the workflow's types."""

from __future__ import annotations

import operator
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from msgspec import Raw

from flopod.engine.inputs import bind, read_input
from flopod.engine.job import choose_workflow
from flopod.manifest import Manifest, WorkflowEntry
from flopod.workflow.inputs import call_document
from flopod_compiler.bundle.inplace import install
from flopod_compiler.cli.compiling import compiled


class Called(NamedTuple):
    """What is called, and with what, as a log holds it."""

    manifest: Manifest
    entry: WorkflowEntry
    function: Callable[..., Any]
    input: Raw


def called(src: Path, workflow: str | None, input: str | None) -> Called:
    """Compile `src` and read an input for one of its workflows. Raises BadInput, UsageError."""
    found, manifest = compiled(src)
    entry = choose_workflow(manifest, workflow)
    install(found)
    function = operator.attrgetter(entry.function)(import_module(entry.module))
    arguments = bind(entry, function, read_input(input) if input is not None else {})
    return Called(manifest, entry, function, call_document(arguments.args, arguments.kwargs))
