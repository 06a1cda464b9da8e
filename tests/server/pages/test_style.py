"""The style sheet and the script: contrast in light and dark, and nothing from elsewhere."""

import re

import pytest

from flopod_templates import dashboard_files

FILES = dashboard_files()
COLOURS = dict(re.findall(r"--([\w-]+): light-dark\(([^)]*)\)", FILES["style.css"]))
STATES = ("running", "waiting", "done", "failed", "quiet", "odd")
TEXTS = [
    *((ink, ground) for ink in ("ink", "soft", "accent") for ground in ("bg", "card", "sunk")),
    ("accent-ink", "accent"),
    ("ink", "accent-wash"),
    *((state, f"{state}-wash") for state in STATES),
    *((state, "card") for state in STATES),
    *(("soft", f"{state}-wash") for state in STATES),
]


def luminance(colour: str) -> float:
    """The relative luminance of WCAG."""
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("ink", "ground"), TEXTS)
def test_text_can_be_read(ink: str, ground: str, scheme: str) -> None:
    """Each text has the contrast of 4.5 that WCAG asks for, light and dark."""
    which = 0 if scheme == "light" else 1
    values = [luminance(COLOURS[name].split(", ")[which]) for name in (ink, ground)]
    assert (max(values) + 0.05) / (min(values) + 0.05) >= 4.5


def test_nothing_is_loaded_from_elsewhere() -> None:
    """No file names another server, and no template has a style or a script inside."""
    for name, text in FILES.items():
        outside = set(re.findall(r"https?://[^\s\"'<>]+", text)) - {"http://www.w3.org/2000/svg"}
        assert outside <= {"http://HOST:PORT/runs"}, name
        if name.endswith(".html"):
            assert not re.search(r"<style|<script(?![^>]*src=)| style=| on[a-z]+=", text), name


def test_the_script_makes_html_of_our_own_pages_alone() -> None:
    """What the script puts into a page as HTML was made, and escaped, by a template."""
    uses = re.findall(r"\.innerHTML = (.+);", FILES["dashboard.js"])
    assert uses == ["html", "await answer.text()"]
    assert not re.search(r"insertAdjacentHTML|outerHTML|document\.write|eval\(", FILES["dashboard.js"])
