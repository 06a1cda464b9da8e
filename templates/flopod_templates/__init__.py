"""The Jinja templates of everything that flopod generates, and the function that fills one in."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemBytecodeCache, FileSystemLoader, StrictUndefined

FOLDER = Path(__file__).parent


def render(
    template: str, model: Mapping[str, Any], caching: Path | None = None, **filters: Callable[..., str]
) -> str:
    """Fill in the template file `template` (`bundle.py.jinja`) with `model`.

    `filters` are made available to the template by their names. An undefined name is an error. What Jinja
    makes of a template is kept in the folder `caching`, if that can be written.
    """
    environment = _environment(caching).overlay()
    environment.filters = {**environment.filters, **filters}
    return environment.get_template(template).render(model)


def dashboard_files() -> dict[str, str]:
    """Return the templates, styles and scripts of the dashboard by their names."""
    return _files("dashboard")


def dev_files() -> dict[str, str]:
    """Return what `flopod dev` adds to them."""
    return _files("dev")


def _files(folder: str) -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in sorted((FOLDER / folder).glob("*.*"))}


@cache
def _environment(caching: Path | None) -> Environment:
    is_writable = caching is not None and os.access(caching, os.W_OK | os.X_OK)
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        bytecode_cache=FileSystemBytecodeCache(str(caching)) if is_writable else None,
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,
    )
    environment.filters |= {"toml": _toml, "shell": shlex.quote, "quoted": _quoted}
    return environment


def _toml(value: Any) -> str:
    """A text or a list of texts as TOML, which is Python too."""
    return json.dumps(value, ensure_ascii=False)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
