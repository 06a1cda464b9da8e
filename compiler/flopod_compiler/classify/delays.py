"""Durations that are written out, in the calls of a workflow: `sleep("5 parsecs")` can only fail."""

from __future__ import annotations

import ast

from flopod.durations import BadDuration, seconds
from flopod_compiler.classify.workspace import Workspace
from flopod_compiler.diagnostics.rules.calls import BadOptions
from flopod_compiler.knowledge.author import ACTIVITY, WAIT_FOR
from flopod_compiler.model import WorkflowFunction

_SLEEP = "flopod.sleep"
_KEYWORDS = {WAIT_FOR: "timeout", ACTIVITY: "timeout", _SLEEP: "duration"}


def check_delays(work: Workspace, workflow: WorkflowFunction) -> None:
    """Report texts given as a duration that are none."""
    for scope in work.scopes(workflow):
        for call in scope.calls:
            info = work.result.calls.get(call)
            name = _KEYWORDS.get(info.callee) if info is not None else None
            if info is None or name is None:
                continue
            given = [one.value for one in call.keywords if one.arg == name]
            for value in [*given, *(call.args[:1] if info.callee == _SLEEP else ())]:
                if isinstance(value, ast.Constant) and isinstance(value.value, str):
                    _check(work, workflow, info.callee, value, value.value)


def _check(work: Workspace, workflow: WorkflowFunction, callee: str, value: ast.expr, text: str) -> None:
    try:
        seconds(text)
    except BadDuration:
        mark, rewrite = callee.removeprefix("flopod."), 'write it like "30s", "5m", "1h30m" or "2d"'
        reason = f"{text!r} is not a duration"
        work.report(BadOptions, workflow.module, value, mark=mark, reason=reason, rewrite=rewrite)
