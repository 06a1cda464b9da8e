"""What a server tells Prometheus: text format 0.0.4, of a bounded number of series."""

import bisect
import contextlib
import logging
import platform
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any, TypeAlias

from flopod.errors import FlopodError

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_MOST_SERIES = 1000
_STARTED = time.time()
_LOGGER = logging.getLogger("flopod.server")

Labels: TypeAlias = Mapping[str, str]


class Requests:
    """Counts the requests of this process by route, method and status, and how long they took."""

    def __init__(self) -> None:
        self.streams = 0
        self._counts: Counter[tuple[str, str, int]] = Counter()
        self._times: dict[tuple[str, str], _Histogram] = {}

    def note(self, route: str, method: str, status: int, seconds: float | None) -> None:
        """Count a request; `seconds` is None for one that lasts as long as its client likes."""
        method = method if method in _METHODS else "other"
        if (route, method) not in self._times and len(self._times) >= _MOST_SERIES:
            route = "other"
        self._counts[route, method, status] += 1
        times = self._times.setdefault((route, method), _Histogram())
        if seconds is not None:
            times.note(seconds)

    def families(self) -> Iterator["Family"]:
        """Yield what was counted."""
        counts = Family("flopod_http_requests_total", "counter", "Requests that were answered.")
        for (route, method, status), count in sorted(self._counts.items()):
            counts.add(count, route=route, method=method, status=str(status))
        yield counts
        times = Family("flopod_http_request_duration_seconds", "histogram", "How long requests took.")
        for (route, method), histogram in sorted(self._times.items()):
            histogram.write(times, {"route": route, "method": method})
        yield times
        yield Family("flopod_http_streams", "gauge", "Clients that follow events now.").add(self.streams)


class _Histogram:
    """Observations by size."""

    def __init__(self) -> None:
        self._counts = [0] * (len(BUCKETS) + 1)
        self._sum = 0.0

    def note(self, seconds: float) -> None:
        self._counts[bisect.bisect_left(BUCKETS, seconds)] += 1
        self._sum += seconds

    def write(self, family: "Family", labels: Labels) -> None:
        total = 0
        for bound, count in zip((*map(str, BUCKETS), "+Inf"), self._counts, strict=True):
            total += count
            family.add(total, "_bucket", **labels, le=bound)
        family.add(self._sum, "_sum", **labels)
        family.add(total, "_count", **labels)


class Family:
    """A metric with its samples."""

    def __init__(self, name: str, kind: str, about: str) -> None:
        self._head = f"# HELP {name} {about}\n# TYPE {name} {kind}\n"
        self._name = name
        self._samples: list[str] = []

    def add(self, value: float, suffix: str = "", /, **labels: str) -> "Family":
        """Add a sample."""
        within = ",".join(f'{name}="{_escaped(text)}"' for name, text in labels.items())
        self._samples.append(
            f"{self._name}{suffix}{{{within}}} {value}\n" if within else f"{self._name}{suffix} {value}\n"
        )
        return self

    @property
    def text(self) -> str:
        """The metric in text format, "" if it has no samples."""
        return self._head + "".join(self._samples) if self._samples else ""


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


REQUESTS = Requests()
"""The requests of this process, which is one server."""


def render(context: Any) -> bytes:
    """Return all metrics. `context` has the `host`, and `webhooks` if there are any.

    It asks the store, so it is called in a thread. A store in trouble leaves its own metrics out.
    """
    families = [*_process(context.host), *REQUESTS.families(), *_runs(context.host), *_load(context.host)]
    webhooks = getattr(context, "webhooks", None)
    if webhooks is not None:
        families += webhooks.families()
    return "".join(family.text for family in families).encode()


def _process(host: Any) -> Iterable[Family]:
    yield Family("process_start_time_seconds", "gauge", "When the process began.").add(_STARTED)
    manifest = host.build.manifest
    yield Family("flopod_build_info", "gauge", "What runs here.").add(
        1, version=_version(), build=manifest.build, name=manifest.name, python=platform.python_version()
    )


def _runs(host: Any) -> Iterable[Family]:
    try:
        counts = host.backend.counts()
    except FlopodError:
        _LOGGER.warning("the runs cannot be counted", exc_info=True)
        return
    family = Family("flopod_runs", "gauge", "Runs in the store.")
    for status, count in sorted(counts.items()):
        family.add(count, status=status)
    yield family


def _load(host: Any) -> Iterable[Family]:
    """What an engine that runs in this process says of itself, as numbers by name."""
    load: Mapping[str, float] = {}
    with contextlib.suppress(AttributeError):
        load = host.load()
    for name, value in sorted(load.items()):
        yield Family(f"flopod_engine_{name}", "gauge", f"The engine's {name.replace('_', ' ')}.").add(value)


def _version() -> str:
    try:
        return version("flopod")
    except PackageNotFoundError:
        return "unknown"
