"""The front end raises for no source: the standard library, deep nesting, circles, and odd programs."""

from __future__ import annotations

import ast
import sysconfig
import time
from pathlib import Path

import pytest

from flopod_compiler.classify import classify
from flopod_compiler.classify.workspace import Workspace
from flopod_compiler.diagnostics.render import FORMATS, render
from flopod_compiler.model import Classified
from flopod_compiler.project import discover, sources

from .support import classified, codes, infos, workflow

STDLIB = Path(sysconfig.get_paths()["stdlib"])
MODULES = [
    "_pydecimal", "argparse", "ast", "bdb", "calendar", "codecs", "configparser", "contextlib", "copy",
    "dataclasses", "datetime", "difflib", "dis", "doctest", "enum", "fractions", "ftplib", "functools",
    "gettext", "heapq", "inspect", "locale", "mailbox", "mimetypes", "optparse", "os", "pathlib", "pickle",
    "platform", "pprint", "random", "shutil", "smtplib", "socket", "statistics", "string", "subprocess",
    "tarfile", "tempfile", "textwrap", "threading", "tokenize", "traceback", "types", "typing", "uuid",
    "warnings", "weakref", "zipfile",
]  # fmt: skip


def complete(result: Classified) -> None:
    """Every call of every workflow has its kind; the findings render in every format."""
    for one in result.workflows:
        names = [node for node in ast.walk(one.node) if isinstance(node, ast.Call)]
        outside = set(outside_calls(one.node))
        assert [ast.unparse(node) for node in names if node not in result.calls and node not in outside] == []
    for format in FORMATS:
        render(result.diagnostics, sources(result.project), format)


def outside_calls(root: ast.FunctionDef | ast.AsyncFunctionDef) -> list[ast.Call]:
    """Calls that are no part of a body: the root's own signature and decorators, and annotations."""
    found: list[ast.AST] = [*root.decorator_list, root.args]
    for node in ast.walk(root):
        if isinstance(node, ast.arg | ast.AnnAssign) and node.annotation is not None:
            found.append(node.annotation)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.returns is not None:
            found.append(node.returns)
    return [call for one in found for call in ast.walk(one) if isinstance(call, ast.Call)]


@pytest.mark.parametrize("name", MODULES)
def test_a_module_of_the_standard_library_is_classified(name: str) -> None:
    """With every function taken as a workflow nothing is raised and no call is left out."""
    path = STDLIB / f"{name}.py"
    if not path.exists():
        pytest.skip(f"no {name}.py here")
    project = discover(path)
    assert project.diagnostics == []
    complete(classify(project, all_functions=True))


@pytest.mark.parametrize("name", ["asyncio", "email", "json", "logging", "unittest"])
def test_every_function_and_method_of_a_package_has_a_purity(name: str) -> None:
    """Summaries exist for all methods, inner functions included, and an impure one has a reason."""
    project = discover(STDLIB / name)
    work = Workspace.over(project)
    count = 0
    for module in project.modules:
        tree = work.names.module(module)
        assert tree is not None
        for node, scope in list(tree.functions.items()):
            summary = work.purity.of(work.names.function(node, scope))
            assert summary.is_pure == (summary.reason == "")
            count += 1
    assert count > 20


CIRCLE = {
    "a.py": "from b import f\n",
    "b.py": "from a import f\n",
    "main.py": workflow("return f()", "from a import f"),
}

DEEP = {
    "a chain of operators": "return " + " + ".join(["x"] * 3000),
    "nested brackets": "return " + "[" * 150 + "]" * 150,
    "nested calls": "return " + "f(" * 90 + "1" + ")" * 90,
    "a chain of attributes": "return x" + ".a" * 2500,
    "a chain of calls": "return x" + ".strip()" * 900,
    "nested ifs": "".join(" " * n + "if x:\n" for n in range(90)) + " " * 90 + "pass",
    "a chain of elifs": "if x: pass\n" + "elif x: pass\n" * 1500,
    "nested lambdas": "return " + "lambda: " * 90 + "1",
    "a long boolean": "return " + " and ".join(["x"] * 3000),
    "a deep subscript": "return x" + "[0]" * 2500,
}


@pytest.mark.parametrize("form", DEEP)
def test_deep_code_ends_in_a_finding_or_a_result(form: str, tmp_path: Path) -> None:
    """Whatever the depth, in a workflow and in a helper of it, there is no RecursionError."""
    for text in (
        workflow(DEEP[form], "def f(x):\n    return x\n", "x"),
        workflow("return g(1)", "def f(x):\n    return x\ndef g(x):\n" + indented(DEEP[form]), "x"),
        workflow("return G", "x = 1\nf = str\nG = " + DEEP[form].removeprefix("return "))
        if "return" in DEEP[form]
        else "",
    ):
        result = classified(tmp_path, text)
        assert result.diagnostics or result.calls or "return" in text


def indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.split("\n")) + "\n"


@pytest.mark.parametrize(
    "files",
    [
        CIRCLE,
        {"a.py": "from a import f\n", "main.py": workflow("return f()", "from a import f")},
        {"main.py": workflow("return f()", "f = g\ng = f\n")},
        {"main.py": workflow("f = g\ng = f\nreturn f(1)")},
        {"main.py": workflow("x = x\nreturn x.strip()")},
        {"main.py": workflow("return A().go()", "class A(B):\n    pass\nclass B(A):\n    pass\n")},
        {"main.py": workflow("return A().go()", "class A(A):\n    pass\n")},
        {"main.py": workflow("return a.x.y.z", "class A:\n    x: 'A'\n", "a: A")},
        {"main.py": workflow("return x", "T = list['T']\n", "x: T")},
        {"main.py": workflow("return X.go()", "X = Y = X\n")},
        {"main.py": workflow("return f(f)", "def f(g):\n    return g(g)\n")},
        {"main.py": workflow("global g\ng = 1\nreturn g")},
        {"main.py": workflow("def a():\n    return b()\ndef b():\n    return a()\nreturn a()")},
        {"main.py": workflow("return (yield)")},
        {"main.py": workflow("return [x := 1, (lambda x: x)(2), *[x for x in (x,)]]")},
        {"main.py": workflow("return x", "", "x: (lambda: 1)")},
        {"main.py": workflow("return x", "", "x: 'not ( valid'")},
        {"main.py": "from flopod import *\n@workflow\ndef main(): return sleep(1)\n"},
        {"main.py": "from .....above import f\n" + workflow("return f()")},
        {"main.py": "from . import nothing\n" + workflow("return nothing()")},
        {"main.py": "import main\n" + workflow("return await main.main()")},
        {"main.py": workflow("return str.join(*[' '], **{'a': 1})")},
        {"main.py": workflow("x = [1]\nx.append(*x)\nx.insert(*[0], 1)\n"
        "f(**x)", "def f(*a, **k):\n    k['a'].b = 1\n")},
    ],
)  # fmt: skip
def test_circles_and_odd_programs_end(files: dict[str, str], tmp_path: Path) -> None:
    """Circular imports, aliases, bases and types, and forms nobody writes, give a result."""
    complete(classified(tmp_path, files))


def test_an_import_circle_is_called_that(tmp_path: Path) -> None:
    """A name that leads nowhere says so, instead of becoming a leaf."""
    result = classified(tmp_path, CIRCLE)
    assert codes(result) == ["FLP106"]
    assert "circle" in infos(result)["f()"].reason


def test_results_do_not_depend_on_the_hash_seed_or_the_order_of_files(tmp_path: Path) -> None:
    """Two runs over one project find the same in the same order."""
    files = {
        "main.py": workflow("return [f(x), x.go(), y.stop(1)]", "from a import *\nfrom b import f\n", "x, y"),
        "a.py": "class A:\n    def go(self):\n        print(1)\n    def stop(self, n):\n        self.n = n\n",
        "b.py": "import a\nclass B(a.A):\n    def go(self):\n        return 1\ndef f(x):\n"
        "    return x.go()\n",
    }
    first, second = classified(tmp_path, files), classified(tmp_path, files)
    assert first.diagnostics == second.diagnostics
    assert [(i.kind, i.callee, i.reason) for i in first.calls.values()] == [
        (i.kind, i.callee, i.reason) for i in second.calls.values()
    ]


def test_time_grows_with_the_size_of_a_project(tmp_path: Path) -> None:
    """Four times the modules, with a call graph four times as deep, take no ten times the time."""
    small, large = tmp_path / "small", tmp_path / "large"
    _write_chain(small, 30)
    _write_chain(large, 120)
    assert sum(path.read_text().count("\n") for path in large.iterdir()) > 9000
    assert min(_seconds(large) for _ in range(3)) < 10 * min(_seconds(small) for _ in range(3))


def _write_chain(folder: Path, modules: int) -> None:
    """Write modules with a workflow each, whose helpers call those of the module before."""
    folder.mkdir()
    helpers = "".join(
        f"def h{i}(xs: list[int]) -> int:\n    total = 0\n    for x in xs:\n        if x > {i}:\n"
        f"            total += x * {i}\n    return total + len(xs)\n\n"
        for i in range(10)
    )
    leaf = "async def leaf(x: int) -> int:\n    print(x)\n    return x\n\n"
    for number in range(modules):
        head = f"from m{number - 1} import f{number - 1}\n" if number else "def f_(x):\n    return x\n"
        before = f"f{number - 1}(x)" if number else "f_(x)"
        own = f"def f{number}(x):\n    return {before} + h1([x])\n"
        body = workflow(
            f"total = 0\nfor x in xs:\n    total += await leaf(h3([x]))\ntotal += f{number}(1)\nreturn total",
            "",
            "xs: list[int]",
        )
        named = body.replace("@workflow", f"@workflow(name='w{number}')")
        (folder / f"m{number}.py").write_text(head + helpers + own + leaf + named)


def _seconds(root: Path) -> float:
    started = time.process_time()
    result = classify(discover(root))
    assert (len(result.workflows), result.diagnostics) == (len(result.project.modules), [])
    return time.process_time() - started
