"""That the cases cover what they are meant to cover."""

from collections import Counter

from tests.harness.cases import FIXTURES, case_names, load_case

_NAMES = """
sequence async-leaf sync-leaf sync-workflow nested-await binary-operator subscript
conditional-expression boolean-operator short-circuit comparison-chain starred-argument
keyword-argument attribute-of-await lambda evaluation-order f-string if elif else match match-value
match-or match-sequence match-mapping match-class match-star match-guard match-capture
match-wildcard for for-else while while-else break continue return nested-loops loop-variable-after
unbound-name try except try-else finally return-in-finally await-in-finally re-raise raise
raise-from exception-attributes except-star augmented-assignment unpacking starred-target
chained-assignment attribute-target subscript-target list-comprehension set-comprehension
dict-comprehension nested-comprehension comprehension-condition generator-in-gather nested-function
closure nonlocal sub-workflow recursion asyncio-sleep time-sleep gather-fixed gather-fan-out
gather-return-exceptions gather-error tasks-then-gather deferred-await wait-for wait-for-typed
leaf-options retry attempt activity-call clock random uuid environment print logging method-leaf
dataclass enum named-tuple module-constant alias argument-mutation carried-int carried-list
carried-dict carried-set carried-deque carried-nested del assert walrus walrus-in-while walrus-in-if
walrus-in-comprehension with suppress global-read import import-from import-alias relative-import
re-export annotations decorators docstring comments one-line-compound semicolons backslash
multi-line-call detach handle forgotten-task work tap for-each wait-for-work
tabs crlf non-ascii long-lines pragma-id pragma-key
"""
CONSTRUCTS = frozenset(_NAMES.split())


def test_every_construct_has_a_case() -> None:
    """No construct that must compile is without a golden case."""
    covered = Counter(name for case in case_names("run") for name in load_case(case).covers)
    assert sorted(CONSTRUCTS - set(covered)) == []


def test_every_case_says_what_it_is() -> None:
    """Each case has a title, sources and, if it runs, a workflow and at least one run."""
    for name in case_names():
        case = load_case(name)
        assert case.title, name
        assert any(case.source.rglob("*")), name
        if case.kind == "run":
            assert case.workflow and case.scenarios and case.covers, name
        else:
            assert case.codes, name


def test_titles_are_unique() -> None:
    """Two cases of one title would be one heading in the documentation."""
    titles = Counter(load_case(name).title for name in case_names())
    assert [title for title, count in titles.items() if count > 1] == []
    assert FIXTURES.is_dir()
