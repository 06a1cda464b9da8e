"""Each field of each node class of the grammar is kept, refused with a code, or without a meaning."""

import ast
from types import CodeType

import pytest

from tests.differential.check import compiled_text
from tests.grammar.compiled import codes, module, passes
from tests.grammar.nodes import alterations, entries, places
from tests.grammar.programs import ABSENT, INSIDE, IRRELEVANT, REFUSED, kept
from tests.grammar.variants import variants
from tests.harness.cases import Scenario
from tests.harness.checks import same_after_kills, same_as_plain

PLAIN = [
    "a, [b, *c] = await num(n), (1, [])\na.x = b[0] = 1\ndel a.x, b[0]",
    "for i in (1,):  # type: int\n    a = await num(i)  # type: int\nwith b as c:  # type: int\n    pass",
    "return [u'a', 'b', await num(n)]",
    "a: int = await num(n)\n(b): str = note(a)\nc: float\nreturn a",
]
PROGRAMS = {fields: module(body) for fields, body in kept().items()}


def test_table_knows_the_whole_grammar() -> None:
    """No node class and no field of this interpreter is missing, and none is named twice."""
    known = [field for fields in PROGRAMS for field in fields.split()]
    known += [*REFUSED, *(one for one in [*IRRELEVANT, *ABSENT] if one in entries())]
    assert sorted(known) == sorted(entries())


@pytest.mark.parametrize("fields", PROGRAMS)
def test_program_has_the_fields_that_it_shows(fields: str) -> None:
    """Each field holds something in the workflow."""
    tree = passes(PROGRAMS[fields]).written
    shown = {f"{type(node).__name__}.{field}" for node, field in places(tree)}
    shown |= {type(node).__name__ for node in ast.walk(tree)}
    assert set(fields.split()) - shown == set()


@pytest.mark.parametrize("fields", PROGRAMS)
def test_program_does_the_same_compiled_and_resumed(fields: str) -> None:
    """The value, the error and the leaf calls are those of plain Python, also after each kill."""
    check(PROGRAMS[fields])


def check(text: str) -> None:
    """Compare a program, run plain, compiled, and resumed from each prefix of its log."""
    made = compiled_text(text)
    scenario = Scenario(args=(3,))
    life = same_as_plain(made, scenario)
    assert life.outcome.calls
    same_after_kills(made, scenario, life)


@pytest.mark.parametrize("fields", PROGRAMS)
def test_durable_call_inside_a_field(fields: str) -> None:
    """A durable call in any expression or block of a field is kept, or refused with its code."""
    for field, text in variants(PROGRAMS[fields], fields.split()):
        if field in INSIDE:
            assert codes(text) == {INSIDE[field]}, text
        else:
            check(text)


@pytest.mark.parametrize("fields", PROGRAMS)
def test_verification_compares_every_field(fields: str) -> None:
    """No part of the author's function can differ from what was emitted without being noticed."""
    one = passes(PROGRAMS[fields])
    assert one.difference() is None
    for node, field in places(one.written, without=IRRELEVANT):
        before = getattr(node, field)
        for value in alterations(before):
            setattr(node, field, value)
            try:
                found = one.difference()
            finally:
                setattr(node, field, before)
            assert found, f"{field} = {value!r} of {ast.dump(node)}"


@pytest.mark.parametrize("field", sorted(REFUSED))
def test_refused_fields_are_refused(field: str) -> None:
    """What a workflow may not have is reported with its code."""
    code, body = REFUSED[field]
    assert codes(module(body)) == {code}
    tree = ast.parse(module(body))
    assert field in {f"{type(node).__name__}.{name}" for node, name in places(tree)}


@pytest.mark.parametrize("text", PLAIN, ids=["context", "comments", "strings", "annotations"])
def test_irrelevant_fields_change_no_code(text: str) -> None:
    """With another value in such a field the code is the same, or there is none; comments are not parsed."""
    tree = ast.parse(module(text))
    code = compile(tree, "flow", "exec")
    shown = set()
    for node in ast.walk(tree.body[-1]):
        for field in node._fields:
            name, before = f"{type(node).__name__}.{field}", getattr(node, field, None)
            if name not in IRRELEVANT or before is None:
                continue
            shown.add(name)
            assert not field.endswith("comment")
            for value in alterations(before):
                setattr(node, field, value)
                assert _compiled(tree) in (None, code), name
            setattr(node, field, before)
    assert shown or "# type:" in text


def _compiled(tree: ast.Module) -> CodeType | None:
    try:
        return compile(tree, "flow", "exec")
    except ValueError as error:
        assert "expression must have" in str(error)
        return None
