"""The imports of a module, and the modules of a set that are reached from some of them."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from flopod_compiler.children import children
from flopod_compiler.model import Imported, SourceModule
from flopod_compiler.parse import span

_HOLDERS = (ast.stmt, ast.excepthandler, ast.match_case)
MAY_BE_MISSING = {"ImportError", "ModuleNotFoundError", "Exception", "BaseException"}


@dataclass(frozen=True, slots=True)
class Import:
    """An import of the module `name`; `optional` when the source copes with its absence.

    `names` are what a `from` import takes out of it, each perhaps a submodule.
    """

    name: str
    names: tuple[str, ...]
    node: ast.stmt | ast.expr
    optional: bool = False


def imports_of(
    tree: ast.Module, module: str, is_package: bool, *, typing: bool = False, by_name: bool = True
) -> list[Import]:
    """Every import in `tree`, inside functions too; those under `if TYPE_CHECKING` only if `typing`.

    Without `by_name`, which `imports_by_name` of the text says, expressions are left out.
    """
    found: list[Import] = []
    stack: list[tuple[ast.AST, bool]] = [(tree, False)]
    while stack:
        node, optional = stack.pop()
        found += _imports_at(node, module, is_package, optional)
        stack += [
            (child, optional or _is_guarded(node, child))
            for child in children(node)
            if (by_name or isinstance(child, _HOLDERS)) and (typing or not _is_for_types(node, child))
        ]
    return sorted(found, key=lambda each: (each.node.lineno, each.node.col_offset, each.name))


def imports_in(module: SourceModule) -> tuple[Imported, ...]:
    """The imports of a module of the project, without those for type checkers."""
    if module.imports is None:
        by_name = imports_by_name(module.text)
        found = imports_of(module.tree, module.name, module.is_package, by_name=by_name)
        module.imports = tuple(
            Imported(one.name, one.names, span(one.node, module), one.optional) for one in found
        )
    return module.imports


def imports_by_name(text: str) -> bool:
    """Whether a module's text may import by a call, so that its expressions are worth a look."""
    return "import_module" in text or "__import__" in text


def _imports_at(node: ast.AST, module: str, is_package: bool, optional: bool) -> Iterator[Import]:
    match node:
        case ast.Import(names=names):
            for alias in names:
                yield Import(alias.name, (), node, optional)
        case ast.ImportFrom(module=name, names=names, level=level):
            origin = _absolute(name or "", level, module, is_package)
            yield Import(origin, tuple(alias.name for alias in names), node, optional)
        case ast.Call(func=func, args=[ast.Constant(value=str(name)), *_]) if _is_import_call(func):
            if name and not name.startswith("."):
                yield Import(name, (), node, optional)


def _is_import_call(func: ast.expr) -> bool:
    match func:
        case ast.Name(id="__import__" | "import_module"):
            return True
        case ast.Attribute(value=ast.Name(id="importlib"), attr="import_module"):
            return True
    return False


def _absolute(name: str, level: int, module: str, is_package: bool) -> str:
    if not level:
        return name
    parts = module.split(".")
    parts = parts[: len(parts) - level + (1 if is_package else 0)]
    return ".".join([*parts, name] if name else parts)


def _is_for_types(node: ast.AST, child: ast.AST) -> bool:
    if not isinstance(node, ast.If) or child not in node.body:
        return False
    match node.test:
        case ast.Name(id="TYPE_CHECKING") | ast.Attribute(attr="TYPE_CHECKING"):
            return True
    return False


def _is_guarded(node: ast.AST, child: ast.AST) -> bool:
    if isinstance(node, ast.Try) and child in node.body:
        return any(_catches_import_error(handler.type) for handler in node.handlers)
    return False


def _catches_import_error(caught: ast.expr | None) -> bool:
    match caught:
        case None:
            return True
        case ast.Name(id=name):
            return name in MAY_BE_MISSING
        case ast.Tuple(elts=elements):
            return any(_catches_import_error(element) for element in elements)
    return False


def modules_reached(
    roots: Iterable[str], known: Callable[[str], bool], imports: Callable[[str], Iterable[Import | Imported]]
) -> set[str]:
    """The modules that importing `roots` can import, parents included, as far as `known` says yes."""
    reached: set[str] = set()
    waiting = list(roots)
    while waiting:
        name = waiting.pop()
        if name in reached or not name:
            continue
        waiting.append(name.rpartition(".")[0])
        if not known(name):
            continue
        reached.add(name)
        for each in imports(name):
            waiting += [each.name, *(f"{each.name}.{taken}" for taken in each.names)]
    return reached
