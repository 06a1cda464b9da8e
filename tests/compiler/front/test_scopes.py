"""Scopes are Python's own: `symtable` is the judge, on the standard library and on the awkward forms."""

from __future__ import annotations

import ast
import symtable
import sys
import sysconfig
from pathlib import Path

import pytest

from flopod_compiler.model import SourceModule
from flopod_compiler.names.scopes import Binding, Scope
from flopod_compiler.names.walk import function_tree, module_tree

STDLIB = Path(sysconfig.get_paths()["stdlib"])
MODULES = [
    "argparse.py", "ast.py", "asyncio/tasks.py", "calendar.py", "cgi.py", "collections/__init__.py",
    "concurrent/futures/thread.py", "configparser.py", "contextlib.py", "dataclasses.py", "datetime.py",
    "difflib.py", "doctest.py", "enum.py", "functools.py", "heapq.py", "inspect.py", "json/decoder.py",
    "logging/config.py", "optparse.py", "pathlib.py", "pickle.py", "re/_parser.py", "shutil.py",
    "statistics.py", "subprocess.py", "tarfile.py", "test/test_patma.py", "tokenize.py", "typing.py",
    "unittest/mock.py", "zipfile.py",
]  # fmt: skip

AWKWARD = """
import os.path as p, a.b.c
from m import x as y
total = 0
class Outer:
    limit = 3
    values = [limit for _ in range(limit)]
    def method(self, a, /, b, *args, c=(d := 1), **kw):
        nonlocal_target = [last := i for i in range(3) if (seen := i)]
        def inner():
            nonlocal nonlocal_target
            global total
            nonlocal_target, (total, *rest) = 1, (2, 3)
            del rest
            return lambda q, *r: [q for q in r for z in q if (w := z)]
        match a:
            case {"k": captured, **others}: pass
            case [first, *tail] | (first, tail): pass
            case Outer(limit=l) as whole: pass
            case _: pass
        try:
            import late
        except (ValueError, TypeError) as error:
            pass
        for self.x, args[0] in []: pass
        with open(a) as (f, g), b as self.y: pass
        async def coro():
            async with b as h:
                return {k: v async for k, v in h}
        annotated: int
        valued: int = 3
        augmented = 0
        augmented += 1
        return inner
"""


def scopes_of(text: str) -> list[tuple[str, int, frozenset[str]]]:
    """Name, line and bound names of every function, class and lambda, by the compiler's own scopes."""
    module = SourceModule("m", Path("m.py"), "m.py", False, text, ast.parse(text))
    tree = module_tree(module)
    found = [*tree.scopes]
    for node, scope in tree.functions.items():
        found.extend(function_tree(node, scope).scopes)
    return sorted(_described(scope) for scope in found if not scope.is_comprehension)


def _described(scope: Scope) -> tuple[str, int, frozenset[str]]:
    node = scope.node
    name = "lambda" if isinstance(node, ast.Lambda) else getattr(node, "name", "top")
    bound = {
        mangled(one, scope)
        for one, bindings in scope.bindings.items()
        if one not in scope.globals and one not in scope.nonlocals and not _is_type_parameter(bindings)
    }
    return name, getattr(node, "lineno", 0), frozenset((bound | _inlined(scope)) - IMPLICIT)


def _is_type_parameter(bindings: list[Binding]) -> bool:
    """Type parameters have a scope of their own in `symtable`."""
    kinds = {type(binding.node).__name__ for binding in bindings}
    return kinds <= {"TypeVar", "ParamSpec", "TypeVarTuple"}


def _inlined(scope: Scope) -> set[str]:
    """Since Python 3.12 `symtable` has the names of a comprehension in the scope it is inlined in."""
    if sys.version_info < (3, 12):
        return set()
    found: set[str] = set()
    for child in scope.children:
        if child.is_comprehension and not isinstance(child.node, ast.GeneratorExp):
            found |= {mangled(one, child) for one in child.bindings} | _inlined(child)
    return found


def mangled(name: str, scope: Scope) -> str:
    current: Scope | None = scope
    while current is not None and not isinstance(current.node, ast.ClassDef):
        current = current.parent
    if current is None or not name.startswith("__") or name.endswith("__"):
        return name
    assert isinstance(current.node, ast.ClassDef)
    stripped = current.node.name.lstrip("_")
    return f"_{stripped}{name}" if stripped else name


def tables_of(text: str) -> list[tuple[str, int, frozenset[str]]]:
    """The same by `symtable`."""
    found: list[tuple[str, int, frozenset[str]]] = []
    stack = [symtable.symtable(text, "m.py", "exec")]
    while stack:
        table = stack.pop()
        stack.extend(table.get_children())
        if table.get_name() in COMPREHENSIONS:
            continue
        if str(table.get_type()).rpartition(".")[2] not in (
            "module",
            "class",
            "function",
            "MODULE",
            "CLASS",
            "FUNCTION",
        ):
            continue
        top = table.get_type() == "module" or table.get_name() == "top"
        bound = {
            symbol.get_name()
            for symbol in table.get_symbols()
            if (symbol.is_local() or (top and symbol.is_assigned()))
            and (
                symbol.is_assigned()
                or symbol.is_parameter()
                or symbol.is_imported()
                or symbol.is_namespace()
                or symbol.is_annotated()
            )
        }
        found.append((table.get_name(), 0 if top else table.get_lineno(), frozenset(bound - IMPLICIT)))
    return sorted(found)


COMPREHENSIONS = ("listcomp", "setcomp", "dictcomp", "genexpr")


IMPLICIT = {
    "__type_params__",
    "__class__", "__classcell__", "__classdict__", ".defaults", ".type_params", "__annotate__",
    "__annotations__", "__conditional_annotations__", "__static_attributes__", "__firstlineno__",
}  # fmt: skip


def names_only(found: list[tuple[str, int, frozenset[str]]]) -> list[tuple[str, frozenset[str]]]:
    """Without the lines, which the two count differently for decorated definitions."""
    return sorted(((name, bound) for name, _, bound in found), key=lambda one: (one[0], sorted(one[1])))


def test_awkward_forms_bind_what_python_binds() -> None:
    """Walrus in comprehensions, match captures, nonlocal, except-as, unpacking: as `symtable` has them."""
    assert names_only(scopes_of(AWKWARD)) == names_only(tables_of(AWKWARD))


@pytest.mark.parametrize("name", MODULES)
def test_the_standard_library_has_the_same_scopes(name: str) -> None:
    """Each function, class and lambda of a module binds the names that `symtable` says."""
    path = STDLIB / name
    if not path.exists():
        pytest.skip(f"no {name} in Python {sys.version_info[:2]}")
    text = path.read_text("utf-8")
    assert names_only(scopes_of(text)) == names_only(tables_of(text))
