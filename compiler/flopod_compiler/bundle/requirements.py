"""The distributions that an artifact needs, pinned to what is installed where it was built."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.metadata import Distribution, PackageNotFoundError, distribution, packages_distributions

from flopod_compiler.bundle.artifact import Artifact
from flopod_compiler.bundle.imports import imports_in
from flopod_compiler.diagnostics import Diagnostic
from flopod_compiler.diagnostics.rules.bundling import NotInstalled
from flopod_compiler.model import Imported, SourceModule

OURS = {"flopod", "flopod_compiler", "flopod_templates"}
LOWEST_MINOR = 11


def requirements(
    artifact: Artifact, modules: Iterable[SourceModule], project: set[str]
) -> tuple[list[str], list[Diagnostic]]:
    """Pinned requirements of `modules`, and an FLP705 for each import that nothing installed provides.

    `project` holds the names of the project's own modules, packages without `__init__` included.
    """
    pins = {_pin(distribution(name)) for name in artifact.requires}
    pins |= {_pin(each) for each in map(_installed, artifact.may_use) if each is not None}
    missing: list[Diagnostic] = []
    for module in modules:
        for each in _foreign_imports(module, project):
            found = _providers(each)
            pins.update(map(_pin, found))
            if not found and not each.optional:
                missing.append(_not_installed(module, each))
    return sorted(pins), missing


def lowest_python(texts: Iterable[str]) -> str:
    """The lowest Python version whose grammar accepts every one of `texts`."""
    minor = LOWEST_MINOR
    for text in texts:
        while minor < sys.version_info.minor and not _parses(text, minor):
            minor += 1
    return f"3.{minor}"


def _parses(text: str, minor: int) -> bool:
    try:
        ast.parse(text, feature_version=(3, minor))
    except SyntaxError:
        return False
    return True


def _foreign_imports(module: SourceModule, project: set[str]) -> Iterator[Imported]:
    for each in imports_in(module):
        top = each.name.partition(".")[0]
        if top and top not in project and top not in OURS and top not in sys.stdlib_module_names:
            yield each


def _providers(each: Imported) -> list[Distribution]:
    names = sorted(set(_distributions().get(each.name.partition(".")[0], ())))
    found = [distribution(name) for name in names]
    if len(found) < 2:
        return found
    wanted = [each.name, *(f"{each.name}.{name}" for name in each.names)]
    holding = [candidate for candidate in found if _holds(candidate, wanted)]
    return holding or found


def _installed(name: str) -> Distribution | None:
    try:
        return distribution(name)
    except PackageNotFoundError:
        return None


@cache
def _distributions() -> dict[str, list[str]]:
    return dict(packages_distributions())


def _holds(candidate: Distribution, wanted: list[str]) -> bool:
    places = tuple(name.replace(".", "/") for name in wanted if "." in name)
    return any(
        str(file).startswith((f"{place}/", f"{place}.")) for file in candidate.files or () for place in places
    )


def _pin(found: Distribution) -> str:
    name = re.sub(r"[-_.]+", "-", found.metadata["Name"]).lower()
    return f"{name}=={found.version}"


def _not_installed(module: SourceModule, each: Imported) -> Diagnostic:
    top = each.name.partition(".")[0]
    return NotInstalled.on(module.relpath, each.where, module=top, guess=top.replace("_", "-"))
