"""Every rule by its code: the source of the explanations, of the reference pages and of the tests."""

from __future__ import annotations

import importlib
import pkgutil

from flopod_compiler.diagnostics import rules
from flopod_compiler.diagnostics.rule import Rule


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


def is_suppressible(code: str, severity: str) -> bool:
    """Whether a pragma may silence a code: warnings always, errors only where their rule says so."""
    rule = CATALOGUE.get(code)
    return severity != "error" or (rule is not None and rule.suppressible)


def near_codes(code: str) -> list[str]:
    """The codes that look like one that does not exist, or share its number."""
    import difflib

    digits = "".join(c for c in code if c.isdigit())
    same = [known for known in CATALOGUE if digits and known == f"FLP{int(digits):03}"]
    return same or difflib.get_close_matches(code.upper(), CATALOGUE, n=3)
