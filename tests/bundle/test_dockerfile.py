"""The image of a bundle: what it installs, where its data is, how it is run."""

import subprocess
import sys
from pathlib import Path

from flopod.manifest import Manifest
from flopod_compiler.bundle.artifact import SERVER
from flopod_compiler.bundle.dockerfile import dockerfile


def test_the_image_installs_the_requirements_and_runs_the_bundle() -> None:
    """Requirements are quoted for the shell; data is a volume of an unprivileged user."""
    lines = dockerfile(
        Manifest("b", "My Shop!", {}), ["httpx==0.28.1", "x>=1; y"], "--input '[1]'"
    ).splitlines()
    assert f"FROM python:3.{sys.version_info.minor}-slim" in lines
    at = lines.index("RUN pip install --no-cache-dir \\")
    assert lines[at + 1 : at + 3] == [
        "    httpx==0.28.1 \\",
        "    'x>=1; y'",
    ]
    for line in ("USER flopod", "VOLUME /data", 'ENTRYPOINT ["python", "/app/bundle.py"]'):
        assert line in lines
    assert lines.index("USER flopod") < lines.index("VOLUME /data")
    assert "#     docker run --rm -v my-shop-data:/data my-shop --input '[1]'" in lines


def _server_image(requirements: list[str]) -> str:
    return dockerfile(Manifest("b", "My Shop!", {}), requirements, artifact=SERVER)


def test_hadolint_has_nothing_to_say_of_the_image_of_a_server(tmp_path: Path) -> None:
    """It runs as a numbered user, and each instruction is as it should be."""
    path = tmp_path / "Dockerfile.server"
    path.write_text(_server_image(["msgspec==0.22.0", "x>=1; y"]), encoding="utf-8")
    checked = subprocess.run(
        [Path(sys.executable).with_name("hadolint"), path], capture_output=True, text=True
    )
    assert (checked.returncode, checked.stdout) == (0, "")


def test_hadolint_finds_what_is_wrong_with_an_image(tmp_path: Path) -> None:
    """The check above can fail."""
    path = tmp_path / "Dockerfile.server"
    path.write_text(_server_image(["msgspec==0.22.0"]).replace("USER 10001", "USER root"), encoding="utf-8")
    checked = subprocess.run([Path(sys.executable).with_name("hadolint"), path], capture_output=True)
    assert checked.returncode == 1


def test_the_image_of_a_server_listens_outside_keeps_its_data_and_asks_for_its_health() -> None:
    """What the server is told by its image."""
    lines = [line.strip() for line in _server_image(["msgspec==0.22.0"]).splitlines()]
    for line in ("VOLUME /data", "EXPOSE 8080", 'CMD ["python", "/app/server.py", "health"]'):
        assert line in lines
    assert "ENV FLOPOD_DATA_DIR=/data \\" in lines
    assert "FLOPOD_HOST=0.0.0.0 \\" in lines
