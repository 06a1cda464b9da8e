"""The image of a bundle: what it installs, where its data is, how it is run."""

import sys

from flopod.manifest import Manifest
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
