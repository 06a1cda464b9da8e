"""What `python server.py` does: read the command line, and serve the runs of one build until told to stop."""

import asyncio
import importlib
import os
import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import NoReturn

import msgspec

from flopod.backends.base import Backend
from flopod.backends.choose import choose
from flopod.engine.console import Console
from flopod.engine.ending import end, open_standard_streams
from flopod.errors import FlopodError
from flopod.manifest import Manifest
from flopod.server.health import ask_health
from flopod.server.host import Build
from flopod.server.serving import serve_build
from flopod.server.settings import Settings
from flopod.server.signing import secret
from flopod.server.webhooks.signature import made_of
from flopod.server.worker import work
from flopod.workflow.tracebacks import author_traceback


def main(
    argv: Sequence[str],
    manifest: str,
    *,
    sources: Mapping[str, str],
    emitted: Mapping[str, str],
    pages: Mapping[str, str],
    artifact: str,
    import_module: Callable[[str], ModuleType] = importlib.import_module,
) -> NoReturn:
    """Serve the build of `manifest` and end the process.

    `sources` and `emitted` are texts of modules by file, `pages` the templates of the dashboard; `artifact`
    is the file that runs this build. In the place of options, or before them: `webhook-secret` prints what
    receivers verify webhooks with, `health` is for the image, and `worker` for servers of later builds.
    """
    open_standard_streams()
    build = _build(manifest, sources, emitted)
    if argv[:1] == ["worker"]:
        work(build, import_module, argv[1] if len(argv) > 1 else None, adopts_all=False)
    if argv[:1] == ["health"]:
        end(ask_health(os.environ))
    try:
        wants_secret = argv[:1] == ["webhook-secret"]
        program = shlex.join(("python", sys.argv[0]))
        settings = Settings.read(argv[wants_secret:], os.environ, program)
        with choose(settings.backend, os.environ) as backend:
            if wants_secret:
                end(_print_secrets(settings, backend))
            serving = serve_build(build, import_module, backend, settings, pages, Path(artifact).read_bytes())
            status = asyncio.run(serving)
        end(status)
    except FlopodError as error:
        Console().error(f"error: {error}")
        end(error.exit_code)
    except Exception as error:
        Console().error(author_traceback(error).rstrip("\n"))
        end(1)


def _print_secrets(settings: Settings, backend: Backend) -> int:
    for each in settings.webhook_secrets or [made_of(secret(backend, os.environ))]:
        print(each)
    return 0


def _build(manifest: str, sources: Mapping[str, str], emitted: Mapping[str, str]) -> Build:
    read = msgspec.json.decode(manifest, type=Manifest)
    own = read.sources.keys()
    return Build(
        read,
        {path: text for path, text in sources.items() if path in own},
        {path: text for path, text in emitted.items() if path in own},
    )
