"""A leaf that blocks the process of its run: who asks is told, and an edit ends it."""

from pathlib import Path

import pytest

from tests.server.dev.developing import Developed

pytestmark = pytest.mark.process

STAMP = 'await noted(f"stamp {text}")'
SPIN = "while text:\n        pass"


def test_an_endless_loop_is_named_and_ends_with_an_edit(dev: Developed) -> None:
    """In the bar, in the terminal, and to whoever wants another run of it."""
    build = dev.build
    dev.edit("desk/services.py", STAMP, SPIN)
    dev.until_rebuilt(build)
    refused = dev.ask("POST", "/runs", {"workflow": "echo", "input": {"text": "x"}, "run_id": "endless"})
    assert refused.status == 503
    assert "while stamp (services.py:" in refused.json["detail"]
    assert "does nothing else while stamp (services.py:" in dev.until_bar("does nothing else")
    assert dev.ask("POST", "/runs", {"workflow": "echo", "input": {"text": "y"}}).status == 503
    build = dev.build
    dev.edit("desk/services.py", SPIN, STAMP)
    dev.until_rebuilt(build)
    assert dev.ask("GET", "/runs/endless").status == 404, "a start that was refused is none"
    dev.start_run("echo", "endless", text="x")
    assert dev.until("endless", "completed")["result"] == "stamped x"
    assert "does nothing else" not in dev.bar()


def test_what_blocks_for_a_while_is_forgotten(tmp_path: Path) -> None:
    """The worker takes runs again after it."""
    with Developed(tmp_path) as dev:
        dev.until_ready()
        build = dev.build
        dev.edit("desk/services.py", STAMP, '__import__("time").sleep(4)')
        dev.until_rebuilt(build)
        dev.ask("POST", "/runs", {"workflow": "echo", "input": {"text": "x"}, "run_id": "late"})
        dev.until_bar("does nothing else")
        assert dev.until("late", "completed")["result"] == "stamped x"
        dev.wait_for(lambda: "does nothing else" not in dev.bar())
