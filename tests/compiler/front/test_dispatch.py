"""A call that may be one of several functions, and functions that plain code is given to call."""

from __future__ import annotations

from pathlib import Path

import pytest

from .support import classified, codes, infos, kinds, workflow


def test_a_conditional_alias_of_leaves_is_a_leaf_named_by_the_alias(tmp_path: Path) -> None:
    """When every candidate is a leaf, the call is a leaf whose name is the one written at the call."""
    head = "def a(x):\n    print(x)\ndef b(x):\n    print(x)\n"
    result = classified(tmp_path, workflow("f = a if flag else b\nreturn f(1)", head, "flag: bool"))
    info = infos(result)["f(1)"]
    assert (info.kind.value, info.name, info.callee) == ("leaf", "f", "main:a | main:b")


def test_a_conditional_alias_of_a_leaf_and_plain_code_is_a_leaf(tmp_path: Path) -> None:
    """Plain code may run as a leaf as well, so the call is one."""
    head = "def a(x):\n    print(x)\ndef b(x):\n    return x\n"
    result = classified(tmp_path, workflow("f = a if flag else b\nreturn f(1)", head, "flag: bool"))
    assert codes(result) == []
    assert kinds(result)["f(1)"] == "leaf"


def test_a_conditional_alias_of_different_kinds_is_refused(tmp_path: Path) -> None:
    """A name that may be a leaf or a workflow is no basis for an id."""
    head = "async def a(x):\n    print(x)\n@workflow\nasync def b(x):\n    return x\n"
    result = classified(tmp_path, workflow("f = a if flag else b\nreturn f(1)", head, "flag: bool"))
    assert codes(result) == ["FLP106"]
    assert "it may be a, a leaf, or b, a workflow" in result.diagnostics[0].message


def test_dispatch_over_a_fixed_table_is_resolved(tmp_path: Path) -> None:
    """Functions in a module-level display that nothing changes are the candidates of an indexed call."""
    head = "def a(x):\n    print(x)\ndef b(x):\n    print(x)\nHANDLERS = {'a': a, 'b': b}\n"
    result = classified(tmp_path, workflow("return HANDLERS[kind](1)", head, "kind: str"))
    assert codes(result) == []
    info = infos(result)["HANDLERS[kind](1)"]
    assert (info.kind.value, info.name) == ("leaf", "HANDLERS")


def test_dispatch_over_a_table_that_changes_is_refused(tmp_path: Path) -> None:
    """A registry that other code fills cannot be resolved."""
    head = "HANDLERS = {}\ndef register(name, f):\n    HANDLERS[name] = f\n"
    result = classified(tmp_path, workflow("return HANDLERS[kind](1)", head, "kind: str"))
    assert "FLP106" in codes(result)


def test_a_fallback_of_a_missing_library_is_a_leaf_when_either_may_be(tmp_path: Path) -> None:
    """A library function or the project's own stand-in for it: the call runs as a leaf."""
    head = "try:\n    from fast import f\nexcept ImportError:\n    def f(x):\n        return x\n"
    result = classified(tmp_path, workflow("return f(1)", head))
    assert codes(result) == []
    assert kinds(result)["f(1)"] == "leaf"


TWO = "async def leaf(x):\n    print(x)\n\ndef other(x):\n    print(x)\n\nasync def same(x):\n    return x\n"
HELPERS = (
    "async def inner(x):\n    return await leaf(x)\nasync def keep(x):\n    return x\n"
    "def plain(x):\n    return x\n"
)


@pytest.mark.parametrize(
    ("choice", "reason", "rewrite"),
    [
        (
            "inner if n else leaf",
            "inner, a function of the workflow, or leaf, a leaf",
            "def call_leaf(*args)",
        ),
        ("leaf if n else other", "leaf, which is async, or other, which is not", "choose with if/elif"),
        ("inner if n else plain", "inner, which is async, or plain, which is not", "write `async def plain`"),
        ("inner if n else same", "inner, which does durable work, or same,", "def call_same(*args)"),
    ],
)
def test_functions_that_are_not_called_alike_are_refused(
    choice: str, reason: str, rewrite: str, tmp_path: Path
) -> None:
    """The message names two of them and how they differ, the help the form that goes with the others."""
    body = f"{HELPERS}chosen = {choice}\nreturn chosen(1)"
    result = classified(tmp_path, workflow(body, TWO, "n: int"))
    found = [one for one in result.diagnostics if one.code == "FLP106"]
    assert [reason in one.message and rewrite in one.help for one in found] == [True]


def test_functions_of_one_call_take_a_scope_together(tmp_path: Path) -> None:
    """A nested function that does nothing durable is called like the durable one it stands in for."""
    body = f"{HELPERS}chosen = inner if n else keep\nreturn await chosen(1), await keep(2)"
    result = classified(tmp_path, workflow(body, TWO, "n: int"))
    assert codes(result) == []
    assert (kinds(result)["chosen(1)"], kinds(result)["keep(2)"]) == ("workflow", "workflow")


@pytest.mark.parametrize(
    "body",
    [
        "table = {'a': inner}\nreturn run(table)",
        "steps = []\nsteps.append(inner)\nreturn run(steps)",
        "steps = []\nmore = steps\nmore.append(inner)\nreturn run(steps)",
        "steps = {}\nsteps.setdefault('a', []).append(inner)\nreturn run(steps)",
        "rows = [[], []]\nfor row in rows:\n    row.append(inner)\nreturn run(rows)",
        "steps = {}\ndef add(to):\n    to['a'] = inner\nadd(steps)\nreturn run(steps)",
        "box = Box()\nbox.step = inner\nreturn box.run()",
        "box = Box()\nbox.steps['a'] = inner\nreturn run(box)",
        "def give():\n    return {'a': inner}\nreturn run(give())",
        "return run([inner for _ in range(n)])",
        "return run(lambda: inner)",
        "return sorted([1], key={1: inner}.get)",
        "return run(TABLE)",
        "a, b = 1, [inner]\nreturn run(b)",
    ],
)
def test_plain_code_is_given_no_function_with_a_scope(body: str, tmp_path: Path) -> None:
    """Inside of a container or an object a durable function would be called without its scope."""
    head = (
        f"{TWO}def run(steps):\n    return [one(1) for one in steps]\n"
        "class Box:\n    def run(self):\n        return self.step(1)\n"
        "@workflow\nasync def child(x):\n    return await leaf(x)\nTABLE = [child]\n"
    )
    result = classified(tmp_path, workflow(HELPERS + body, head, "n: int"))
    assert "FLP110" in codes(result)


def test_what_stands_beside_a_function_may_go_anywhere(tmp_path: Path) -> None:
    """Keys, arguments and counters of a table of durable functions are data."""
    body = (
        f"{HELPERS}first = [n]\nfirst.append(inner)\nawait leaf(n)\nundo = []\n"
        "undo.append((inner, n))\nundo.append((keep, await leaf(1)))\n"
        "for number, (step, argument) in enumerate(reversed(undo)):\n"
        "    await step(argument)\n    await leaf(argument)\n    await leaf(number)\n"
        "table = {'f': inner, 'n': n}\nawait leaf(table['n'])\nawait leaf(sorted(table)[0])\n"
        "return [await leaf(name) for name, step in {'a': inner}.items()]"
    )
    assert codes(classified(tmp_path, workflow(body, TWO, "n: int"))) == []
