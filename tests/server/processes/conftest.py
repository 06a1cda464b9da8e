"""One linked server for all tests of servers."""

from pathlib import Path
from shutil import copytree

import pytest

from tests.server.processes.serving import make_server

SOURCE = Path(__file__).parent / "project" / "src"


@pytest.fixture(scope="session")
def server_script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("linked")
    copytree(SOURCE, folder / "src")
    return make_server(folder / "src", folder / "server.py")
