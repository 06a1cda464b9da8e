"""What runs beside the main line: the names of its sites, and what the graph says of it."""

from __future__ import annotations

import ast

from flopod_compiler import ir
from flopod_compiler.knowledge.author import FOR_EACH, FORGET, JOINED, WORK
from flopod_compiler.knowledge.beside import DETACHES, function_of, made_by, value_of
from flopod_compiler.model import CallInfo
from flopod_compiler.sites import Site, arguments_as_name, literal_arguments, written_in

_WORKS = frozenset({WORK, FOR_EACH})


def note_of(call: ast.Call, info: CallInfo) -> ir.Beside | None:
    """The node of a detach, of a task that nobody awaits, or of a side chain; None for what is none."""
    if info.callee == FORGET:
        return ir.Beside("detach", info.name, "forget")
    if info.callee in _WORKS:
        return ir.Beside("work", _said(call, "name") or info.name)
    if info.callee not in DETACHES:
        return None
    mode = "join" if info.callee == JOINED else "forget"
    label, driver = _said(call, "label") or info.name, ast.unparse(call.args[0]) if call.args else ""
    return ir.Beside("detach", label, mode, _said(call, "description"), driver)


def note_task(block: list[ir.Node], task: ast.Call, info: CallInfo, begun: CallInfo | None) -> None:
    """Say of the operation that a task is made of, the last of its block, that it is a node of its own."""
    node = block[-1] if block else None
    is_task = info.callee.endswith(("create_task", "ensure_future"))
    if is_task and begun is not None and isinstance(node, ir.Operation) and node.beside is None:
        node.beside = ir.Beside("detach", _said(task, "name") or begun.name)


def name_handed(site: Site, call: ast.Call, info: CallInfo) -> None:
    """Tell what runs beside the main line apart by its input, a label or a name, not by its driver.

    What the site looks like is said without the function, which may get another name.
    """
    made = made_by(call) if info.callee == FORGET else None
    if made is None:
        function, value = function_of(info.callee, call), value_of(info.callee, call)
        made = ast.Call(call.func, [value] if value is not None else [], [])
        said = [one for one in call.keywords if one.arg in ("label", "name")]
        site.literals = literal_arguments(ast.Call(call.func, made.args, said))
        describe_handed(site, call, function)
    else:
        site.literals, site.text = literal_arguments(made), written_in(made)
    site.arguments = arguments_as_name(made)


def describe_handed(site: Site, call: ast.Call, function: ast.expr | None) -> None:
    """Say what a site looks like without the function that it is given, which may get another name."""
    given = [one for one in call.args if one is not function]
    site.text = written_in(ast.Call(call.func, given, call.keywords))


def _said(call: ast.Call, option: str) -> str:
    """What an option says: the text of a literal, the source of anything else."""
    for one in call.keywords:
        if one.arg == option:
            literal = one.value.value if isinstance(one.value, ast.Constant) else ast.unparse(one.value)
            return "" if literal is None else str(literal)
    return ""
