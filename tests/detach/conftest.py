"""A server and an outbox for tests of beacons."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from flopod.detach import poster
from tests.detach.beacons import helper_of
from tests.detach.web import Web


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")


@pytest.fixture
def web() -> Iterator[Web]:
    server = Web()
    yield server
    server.close()


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    outbox = tmp_path / "outbox"
    yield outbox
    if pid := helper_of(outbox):
        for file in outbox.glob(f"*{poster.ITEM}"):
            file.unlink()
        os.kill(pid, signal.SIGKILL)
