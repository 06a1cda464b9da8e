"""The runner of the documentation itself: what it finds on a page, and which outputs it takes for equal."""

from pathlib import Path

import pytest

from tests.docs.blocks import agrees, blocks, links

PAGE = """\
Text with a [link](docs/a.md#part) and [another](https://example.org).
<source srcset="b.png"> <img src="c.png" alt="c">

<!-- run -->
```bash
echo 1
```

<!-- python: some/path -->
```python
x = 1
```

```text
plain
```
"""


def test_blocks_have_their_marks(tmp_path: Path) -> None:
    """A block has the mark of the comment right before it, and none otherwise."""
    (tmp_path / "page.md").write_text(PAGE)
    found = blocks(tmp_path / "page.md", tmp_path)
    assert [(each.language, each.mark, each.argument, each.text) for each in found] == [
        ("bash", "run", "", "echo 1\n"),
        ("python", "python", "some/path", "x = 1\n"),
        ("text", "", "", "plain\n"),
    ]
    assert found[0].place == "page.md:5"
    assert links(tmp_path / "page.md") == ["docs/a.md", "b.png", "c.png"]


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        ("one\ntwo\n", "one\ntwo\n"),
        ("one\n...\nlast\n", "one\ntwo\nthree\nlast\n"),
        ("one\n...\n", "one\n"),
        ("a ... c\n", "a b c\n"),
        ("until 2026-11-23 12:02:34; go\n", "until 2031-01-01 00:00:00; go\n"),
        ("starting f (build 5ec0fad87910)\n", "starting f (build 000000000000)\n"),
    ],
)
def test_an_output_may_differ_where_the_page_says(expected: str, actual: str) -> None:
    """Dots, times and build ids stand for others."""
    assert agrees(expected, actual)


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        ("one\ntwo\n", "one\n"),
        ("one\n", "one\ntwo\n"),
        ("one\n...\nlast\n", "one\ntwo\n"),
        ("a ... c\n", "a b d\n"),
        ("status completed\n", "status failed\n"),
        ("until 2026-11-23 12:02:34\n", "until tomorrow at 12\n"),
    ],
)
def test_an_output_that_differs_elsewhere_is_another(expected: str, actual: str) -> None:
    """Missing, additional and changed lines are noticed."""
    assert not agrees(expected, actual)
