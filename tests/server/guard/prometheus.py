"""A strict reader of the Prometheus text format 0.0.4."""

import re
from typing import NamedTuple

_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(,|$)')
_SAMPLE = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? ([0-9.eE+-]+|NaN|[+-]Inf)")
_KINDS = {"counter", "gauge", "histogram"}
_SUFFIXES = {"counter": ("",), "gauge": ("",), "histogram": ("_bucket", "_sum", "_count")}


class Sample(NamedTuple):
    """A value with its labels."""

    name: str
    labels: dict[str, str]
    value: float


def read(text: str) -> dict[str, tuple[str, list[Sample]]]:
    """Return kind and samples of each metric. Raises AssertionError for what is not in order."""
    assert text.endswith("\n")
    found: dict[str, tuple[str, list[Sample]]] = {}
    name, kind = "", ""
    seen: set[tuple[str, tuple[tuple[str, str], ...]]] = set()
    for line in text.splitlines():
        if line.startswith("# HELP "):
            name = line.split(" ")[2]
            assert _NAME.fullmatch(name), line
            assert name not in found, f"{name} twice"
        elif line.startswith("# TYPE "):
            _, _, typed, kind = line.split(" ")
            assert typed == name, line
            assert kind in _KINDS, line
            found[name] = (kind, [])
        else:
            sample = _sample(line)
            assert sample.name in [name + suffix for suffix in _SUFFIXES[kind]], line
            key = sample.name, tuple(sorted(sample.labels.items()))
            assert key not in seen, f"twice: {line}"
            seen.add(key)
            found[name][1].append(sample)
    for metric, (kind, samples) in found.items():
        assert samples, metric
        assert kind != "counter" or metric.endswith("_total"), metric
        if kind == "histogram":
            _check_histogram(metric, samples)
    return found


def _sample(line: str) -> Sample:
    matched = _SAMPLE.fullmatch(line)
    assert matched, line
    labels: dict[str, str] = {}
    rest = matched[2] or ""
    while rest:
        label = _LABEL.match(rest)
        assert label, line
        assert label[1] not in labels, line
        unescaped = re.sub(r"\\(.)", lambda each: {"n": "\n"}.get(each[1], each[1]), label[2])
        labels[label[1]] = unescaped
        rest = rest[label.end() :]
    return Sample(matched[1], labels, float(matched[3]))


def _check_histogram(metric: str, samples: list[Sample]) -> None:
    groups: dict[tuple[tuple[str, str], ...], list[Sample]] = {}
    for sample in samples:
        key = tuple(sorted((name, value) for name, value in sample.labels.items() if name != "le"))
        groups.setdefault(key, []).append(sample)
    for group in groups.values():
        buckets = [one for one in group if one.name.endswith("_bucket")]
        bounds = [float(one.labels["le"]) for one in buckets]
        assert bounds == sorted(set(bounds)), metric
        assert bounds[-1] == float("inf"), metric
        counts = [one.value for one in buckets]
        assert counts == sorted(counts), metric
        (count,) = [one.value for one in group if one.name.endswith("_count")]
        assert count == counts[-1], metric
        assert sum(one.name.endswith("_sum") for one in group) == 1, metric
