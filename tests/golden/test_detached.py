"""Each case that detaches, with the runs that it begins: plain and compiled, and killed after each write."""

import sys
from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from flopod.testing import Flopod
from flopod.testing.same import compare_ends
from flopod_compiler.testing.source import Source
from tests.harness.cases import case_names, load_case, scenarios
from tests.harness.snapshots import snapshot_each_iteration

RUNS = list(scenarios([name for name in case_names("run") if load_case(name).detaches]))
runs = pytest.mark.parametrize(("case", "number"), RUNS)


@pytest.fixture
def harness(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Flopod]]:
    """The harness of users' tests over the source of a case; all cases have modules of one name."""
    made: list[Flopod] = []
    modules: list[str] = []

    def over(case: str) -> Flopod:
        source = Source(load_case(case).source)
        monkeypatch.setattr(sys, "path", [str(source.root), *sys.path])
        modules.extend(source.compilation.project.modules)
        for module in modules:
            monkeypatch.delitem(sys.modules, module, raising=False)
        made.append(Flopod(lambda: source))
        return made[-1]

    yield over
    for one in made:
        one.close()
    for module in modules:
        sys.modules.pop(module, None)


@runs
def test_detached_as_plain_python_does(case: str, number: int, harness: Callable[[str], Flopod]) -> None:
    """Value, error and leaf calls are those of the source under plain CPython; the calls of different runs
    are in no order.
    """
    flopod, scenario, workflow = harness(case), load_case(case).scenarios[number], load_case(case).workflow
    plain, compiled = (
        flopod.run(workflow, *scenario.given()[0], **scenario.given()[1], compiled=is_compiled)
        for is_compiled in (False, True)
    )
    compare_ends(plain.outcome(), compiled.outcome())
    assert Counter(one.shown for one in plain.tape.calls) == Counter(one.shown for one in compiled.tape.calls)
    assert compiled.status == ("failed" if scenario.raises else "completed")


@runs
def test_detached_and_killed_after_any_write(
    case: str, number: int, harness: Callable[[str], Flopod]
) -> None:
    """A resume from each prefix of the log gives the same end, and calls nothing again that is recorded."""
    args, kwargs = load_case(case).scenarios[number].given()
    with snapshot_each_iteration():
        assert harness(case).crash_matrix(load_case(case).workflow, *args, **kwargs).is_proven
