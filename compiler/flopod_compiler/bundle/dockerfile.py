"""`dist/Dockerfile` and `dist/Dockerfile.server`: images that run the file beside them."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path

from flopod.manifest import Manifest
from flopod_compiler.bundle.artifact import JOB, Artifact
from flopod_templates import render


def dockerfile(
    manifest: Manifest,
    requirements: Sequence[str],
    example: str = "",
    caching: Path | None = None,
    artifact: Artifact = JOB,
) -> str:
    """The text of a Dockerfile for the Python that builds, by which `requirements` were chosen.

    `example` are arguments to show in the comment that says how to run it; `caching` is the folder of what
    is kept from build to build.
    """
    return render(
        artifact.image,
        {
            "name": re.sub(r"[^a-z0-9._-]+", "-", manifest.name.lower()).strip("-._") or "job",
            "python": f"{sys.version_info.major}.{sys.version_info.minor}",
            "requirements": list(requirements),
            "example": example.strip(),
        },
        caching,
    )
