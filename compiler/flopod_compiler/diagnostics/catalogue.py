"""Every rule by its code: the source of the explanations, of the reference pages and of the tests."""

from __future__ import annotations

import importlib
import pkgutil
import re

from flopod_compiler.diagnostics import rules
from flopod_compiler.diagnostics.rule import Example, Rule


def _rules() -> dict[str, type[Rule]]:
    found: dict[str, type[Rule]] = {}
    for module in pkgutil.iter_modules(rules.__path__):
        for value in vars(importlib.import_module(f"{rules.__name__}.{module.name}")).values():
            if isinstance(value, type) and issubclass(value, Rule) and value is not Rule:
                other = found.setdefault(value.code, value)
                if other is not value:
                    raise TypeError(f"{value.code} is both {other.__name__} and {value.__name__}")
    return dict(sorted(found.items()))


CATALOGUE: dict[str, type[Rule]] = _rules()
"""The rules by code, in order."""


def explain(code: str) -> str:
    """The page of one code as plain text; `KeyError` when there is none."""
    rule = CATALOGUE[code.upper()]
    parts = [f"{rule.code}: {rule.title}", rule.why]
    if re.search("[a-z]", re.sub(r"\{\w+\}", "", rule.help)):
        parts.append(f"Instead: {_without_fields(rule.help)}.")
    for word, examples in (("Reported", rule.invalid), ("Accepted", rule.valid)):
        parts += [f"{word}:\n\n{_indented(example)}" for example in examples[:1]]
    return "\n\n".join(parts) + "\n"


def _without_fields(template: str) -> str:
    """A template as prose: fields become dots."""
    return re.sub(r"\{\w+(?:!r)?\}", "...", template).replace("{{", "{").replace("}}", "}")


def _indented(example: Example) -> str:
    if isinstance(example, dict):
        return "\n\n".join(f"    # {path}\n{_indented(text)}" for path, text in example.items())
    return "\n".join(f"    {line}".rstrip() for line in example.strip().split("\n"))
