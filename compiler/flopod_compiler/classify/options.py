"""What is given to flopod's own functions, held against them: names of options, durations, retry policies."""

from __future__ import annotations

import ast
import difflib
from collections.abc import Iterable
from inspect import Signature
from typing import Any

from flopod_compiler.classify.workspace import Workspace
from flopod_compiler.diagnostics.rules.calls import BadOptions
from flopod_compiler.knowledge.author import CHECKED, canonical
from flopod_compiler.knowledge.signatures import signature
from flopod_compiler.model import External, SourceModule, WorkflowFunction
from flopod_compiler.names import Scope

_NO_LITERAL = object()


def check_options_at_import(work: Workspace, module: SourceModule) -> None:
    """Report calls at the top level of a module, decorators among them, that can only fail at its import."""
    if "flopod" in module.text:
        tree = work.names.module(module.name)
        assert tree is not None
        _check(work, module, tree.scopes)


def check_options(work: Workspace, workflow: WorkflowFunction) -> None:
    """Report calls in a workflow that can only fail."""
    _check(work, workflow.module, work.scopes(workflow))


def _check(work: Workspace, module: SourceModule, scopes: Iterable[Scope]) -> None:
    for scope in scopes:
        for call in scope.calls:
            symbol = work.names.resolve(call.func, scope) if _is_named(call.func) else None
            name = canonical(symbol.qualified) if isinstance(symbol, External) else ""
            if name in CHECKED:
                for node, reason, rewrite in _Call(name.removeprefix("flopod."), call).wrong():
                    mark = name.removeprefix("flopod.")
                    work.report(BadOptions, module, node, mark=mark, reason=reason, rewrite=rewrite)


def _is_named(func: ast.expr) -> bool:
    return isinstance(func, ast.Name | ast.Attribute)


class _Call:
    """One call of one of flopod's functions."""

    def __init__(self, name: str, call: ast.Call) -> None:
        self._name = name
        self._signature = signature(name)
        self._parameters = self._signature.parameters
        self._call = call

    def wrong(self) -> list[tuple[ast.AST, str, str]]:
        """What is wrong with the call: where, why, and what to write instead."""
        return self._unknown() or self._unbound() or self._values()

    def _unknown(self) -> list[tuple[ast.AST, str, str]]:
        if any(one.kind is one.VAR_KEYWORD for one in self._parameters.values()):
            return []
        options = [one.name for one in self._parameters.values() if one.kind is not one.POSITIONAL_ONLY]
        found: list[tuple[ast.AST, str, str]] = []
        for keyword in self._call.keywords:
            if keyword.arg is not None and keyword.arg not in options:
                close = difflib.get_close_matches(keyword.arg, options, n=1)
                hint = f"write `{close[0]}=`" if close else f"its options are {', '.join(options)}"
                found.append((keyword, f"it has no option {keyword.arg!r}", hint))
        return found

    def _unbound(self) -> list[tuple[ast.AST, str, str]]:
        """Arguments that are missing, or too many; unknown where some hide behind stars."""
        call = self._call
        if any(isinstance(one, ast.Starred) for one in call.args) or any(
            not one.arg for one in call.keywords
        ):
            return []
        try:
            self._bound()
        except TypeError as error:
            takes = Signature([one.replace(annotation=one.empty) for one in self._parameters.values()])
            return [(call, str(error), f"it takes {takes}")]
        return []

    def _bound(self) -> dict[str, Any]:
        given = {one.arg: one.value for one in self._call.keywords if one.arg is not None}
        positional: list[ast.expr] = []
        for argument in self._call.args:
            if isinstance(argument, ast.Starred):
                break
            positional.append(argument)
        signature = self._signature
        hides = len(positional) < len(self._call.args) or any(not one.arg for one in self._call.keywords)
        return (signature.bind_partial if hides else signature.bind)(*positional, **given).arguments

    def _values(self) -> list[tuple[ast.AST, str, str]]:
        """Literals that the function refuses: asked of the parser of durations, and of the policy itself."""
        found: list[tuple[ast.AST, str, str]] = []
        for name, node in self._bound().items():
            value = _literal(node) if isinstance(node, ast.expr) else _NO_LITERAL
            reason = "" if value is _NO_LITERAL else self._refusal(name, value)
            if reason:
                found.append((node, *_told(reason)))
        return found

    def _refusal(self, name: str, value: object) -> str:
        from flopod.durations import due, seconds
        from flopod.errors import UsageError
        from flopod.retry import Retry

        kinds = str(self._parameters[name].annotation).split(" | ")
        try:
            if self._name == "Retry":
                Retry(**{name: value})  # type: ignore[arg-type]
            elif value is None and "None" in kinds:
                return ""
            elif "Duration" in kinds:
                seconds(value)  # type: ignore[arg-type]
            elif "Moment" in kinds:
                due(value, 0)  # type: ignore[arg-type]
        except (UsageError, TypeError) as error:
            return str(error)
        return ""


def _told(message: str) -> tuple[str, str]:
    """The reason and the rewrite that an error of flopod names."""
    if message.startswith("Retry("):
        option, _, rewrite = message.removeprefix("Retry(").partition("): ")
        return f"it does not take {option}", rewrite
    reason, _, rewrite = message.partition("; ")
    return reason, rewrite or "give it a value of the type that it takes"


def _literal(node: ast.expr) -> object:
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return _NO_LITERAL
