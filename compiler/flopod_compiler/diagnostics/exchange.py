"""Diagnostics for other tools: JSON, SARIF 2.1.0, annotations of GitHub."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any
from urllib.parse import quote

from flopod_compiler.diagnostics.catalogue import CATALOGUE
from flopod_compiler.diagnostics.diagnostic import Diagnostic, Related, Span
from flopod_compiler.diagnostics.pages import instead, page

Sources = Mapping[str, str]

_SARIF_LEVELS = {"error": "error", "warning": "warning", "info": "note"}
_GITHUB_LEVELS = {"error": "error", "warning": "warning", "info": "notice"}


# --- JSON --------------------------------------------------------------------------------------------


def json_text(diagnostics: list[Diagnostic], _sources: Sources) -> str:
    """A list of objects."""
    return json.dumps([_object(one) for one in diagnostics], indent=2, ensure_ascii=False) + "\n"


def _object(one: Diagnostic) -> dict[str, Any]:
    return {
        "code": one.code,
        "severity": one.severity,
        "message": one.message,
        **_located(one.path, one.span),
        "help": one.help,
        "related": [
            {"message": related.message, **_located(related.path, related.span)} for related in one.related
        ],
    }


def _located(path: str, span: Span) -> dict[str, Any]:
    return {
        "path": path,
        "line": span.line,
        "column": span.col + 1,
        "end_line": span.end_line,
        "end_column": span.end_col + 1,
    }


# --- SARIF -------------------------------------------------------------------------------------------


def sarif(diagnostics: list[Diagnostic], sources: Sources) -> str:
    """One run with the rules that occur. A rule has its whole page as help, and no `helpUri`: that must be
    absolute, and the pages come with the program."""
    codes = sorted({one.code for one in diagnostics})
    driver = {
        "name": "flopod",
        "version": version("flopod"),
        "rules": [_sarif_rule(code) for code in codes],
    }
    # SARIF counts columns in UTF-16 units unless the run says otherwise
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_sarif_result(one, codes, sources) for one in diagnostics],
    }
    log = {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]}
    return json.dumps(log, indent=2, ensure_ascii=False) + "\n"


def _sarif_rule(code: str) -> dict[str, Any]:
    rule = CATALOGUE.get(code)
    if rule is None:
        return {"id": code}
    return {
        "id": code,
        "name": rule.__name__,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.why},
        "help": {"text": "; ".join(instead(rule)) or rule.why, "markdown": page(code)},
        "defaultConfiguration": {"level": _SARIF_LEVELS[rule.severity]},
    }


def _sarif_result(one: Diagnostic, codes: list[str], sources: Sources) -> dict[str, Any]:
    text = f"{one.message}\nhelp: {one.help}" if one.help else one.message
    return {
        "ruleId": one.code,
        "ruleIndex": codes.index(one.code),
        "level": _SARIF_LEVELS.get(one.severity, "none"),
        "message": {"text": text},
        "locations": [_sarif_location(one.path, one.span)],
        "relatedLocations": [
            {
                "id": number,
                **_sarif_location(related.path, related.span),
                "message": {"text": related.message},
            }
            for number, related in enumerate(one.related, 1)
        ],
        "partialFingerprints": {"flopod/v1": _fingerprint(one, sources)},
    }


def _sarif_location(path: str, span: Span) -> dict[str, Any]:
    region = {
        "startLine": span.line,
        "startColumn": span.col + 1,
        "endLine": span.end_line,
        "endColumn": span.end_col + 1,
    }
    return {"physicalLocation": {"artifactLocation": {"uri": quote(path)}, "region": region}}


def _fingerprint(one: Diagnostic, sources: Sources) -> str:
    """What tells a finding from others, also after lines above it have moved."""
    lines = re.split(r"\r\n?|\n", sources.get(one.path, ""))
    line = lines[one.span.line - 1].strip() if one.span.line <= len(lines) else ""
    return hashlib.sha256(f"{one.code}\0{one.path}\0{line}\0{one.message}".encode()).hexdigest()[:16]


# --- GitHub annotations --------------------------------------------------------------------------------


def github(diagnostics: list[Diagnostic], _sources: Sources) -> str:
    """A workflow command a line."""
    return "".join(f"{_annotation(one)}\n" for one in diagnostics)


def _annotation(one: Diagnostic) -> str:
    level = _GITHUB_LEVELS.get(one.severity, "notice")
    span = one.span
    place = f"file={_property(one.path)},line={span.line},col={span.col + 1}"
    place += f",endLine={span.end_line},endColumn={span.end_col}"
    notes = [_related_note(related) for related in one.related]
    body = "\n".join([one.message, *notes, *([f"help: {one.help}"] if one.help else [])])
    return f"::{level} {place},title={_property(one.code)}::{_data(body)}"


def _related_note(related: Related) -> str:
    return f"{related.path}:{related.span.line}:{related.span.col + 1}: {related.message}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
