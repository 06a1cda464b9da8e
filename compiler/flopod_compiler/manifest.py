"""The manifest of a build, off the units of its modules and what was emitted for them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from typing import Any

import msgspec

from flopod.manifest import Manifest, WorkflowEntry
from flopod_compiler import ir
from flopod_compiler.model import Lowered, Project
from flopod_compiler.units import Unit, Workflow


def manifest_of(project: Project, units: Mapping[str, Unit], lowered: Mapping[str, Lowered]) -> Manifest:
    """The manifest; every site has its id."""
    functions = _ir_functions(units)
    sources = {
        module.relpath: module.digest
        for module in sorted(project.modules.values(), key=lambda one: one.relpath)
    }
    return Manifest(
        build=_build_id(sources, lowered),
        name=project.name,
        workflows={
            one.name: _entry(module, one, functions)
            for module, unit in units.items()
            for one in unit.workflows
        },
        compiler=version("flopod"),
        hooks=project.config.hooks,
        sources=sources,
        lines={one.module.relpath: one.line_map for one in lowered.values()},
        ir={name: msgspec.to_builtins(function) for name, function in functions.items()},
        graph=_graph(functions),
    )


def _build_id(sources: Mapping[str, str], lowered: Mapping[str, Lowered]) -> str:
    """Names the build by what it runs: every source and every emitted module."""
    digest = hashlib.sha256(version("flopod").encode())
    for relpath, source in sources.items():
        digest.update(f"{relpath}\0{source}\0".encode())
    for name, one in sorted(lowered.items()):
        digest.update(f"{name}\0{one.text}\0".encode())
    return digest.hexdigest()[:16]


def _ir_functions(units: Mapping[str, Unit]) -> dict[str, ir.Function]:
    """The functions by name; of inner functions that share one (a conditional `def`) each is an arm."""
    found: dict[str, ir.Function] = {}
    for module, unit in units.items():
        for one in unit.functions:
            name = one.described.key
            if name in found and one.is_nested:
                _add_definition(found[name], one.body)
            else:
                found[name] = ir.Function(module, one.qualname, one.described.file, one.line, [*one.body])
    return found


def _add_definition(function: ir.Function, body: list[ir.Node]) -> None:
    before = function.body[0] if function.body else None
    if isinstance(before, ir.Parallel) and before.kind == "one":
        before.arms.append([*body])
    else:
        function.body = [ir.Parallel(function.line, [function.body, [*body]], "one")]


def _entry(module: str, one: Workflow, functions: dict[str, ir.Function]) -> WorkflowEntry:
    found = list(ir.paths(functions[f"{module}:{one.function}"], functions))
    return WorkflowEntry(
        name=one.name,
        module=module,
        function=one.function,
        sync=one.sync,
        version=one.version,
        queue=one.queue,
        parameters=one.parameters,
        paths=[entry for entry, _ in found],
        waits=list(ir.waits(found, functions)),
    )


def _graph(functions: dict[str, ir.Function]) -> dict[str, Any]:
    """Nodes and edges of each function: containment as `inside`, calls of workflows as `calls`."""
    graph: dict[str, Any] = {}
    for name, function in functions.items():
        nodes: list[dict[str, Any]] = []
        _graph_block(function.body, "", nodes)
        graph[name] = {"nodes": nodes, "calls": list(_called(function.body))}
    return graph


def _called(block: list[ir.Node]) -> Iterator[str]:
    """What a block calls in its own run."""
    for node in block:
        if isinstance(node, ir.Operation) and node.kind == "call":
            yield node.callee
        for _, inner in ir.children(node):
            yield from _called(inner)


def _graph_block(block: list[ir.Node], prefix: str, nodes: list[dict[str, Any]]) -> None:
    for node in block:
        if isinstance(node, ir.Operation):
            found = {"id": prefix + node.id, "kind": node.kind, "line": node.line, "callee": node.callee}
            nodes.append(found | (msgspec.to_builtins(node.beside) if node.beside is not None else {}))
        elif isinstance(node, ir.Loop | ir.Branch):
            kind = node.kind if isinstance(node, ir.Loop) else "branch"
            nodes.append({"id": prefix + node.id, "kind": kind, "line": node.line, "callee": ""})
        for segment, inner in ir.children(node):
            _graph_block(inner, prefix + segment, nodes)
