"""How much a call of today looks like one of the lock: the evidence that matching weighs."""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache

from flopod_compiler.sites import Shape

ENOUGH = 3.0
CLEARLY = 0.3
NEIGHBOUR = 1.5

_TOKEN = re.compile(r"[A-Za-z_]\w*|\d+|\"[^\"]*\"|'[^']*'|\S")
_NAME = re.compile(r"[A-Za-z_]\w*")


def likeness(old: Shape, new: Shape) -> float:
    """How alike two calls of one kind and callee are, by their own looks: 8 is the same."""
    score = 4.0 if old.text == new.text else _text_likeness(old.text, new.text)
    if old.name == new.name:
        score += 3.0 if old.name else 1.0
    return score + (1.0 if old.within == new.within else 0.0)


def _text_likeness(old: str, new: str) -> float:
    same_form = 1.0 if _form(old) == _form(new) else 0.0
    left, right = _tokens(old), _tokens(new)
    total = left.total() + right.total()
    shared = 2 * (left & right).total() / total if total else 1.0
    return same_form + 1.5 * shared


def loop_likeness(old: Shape, new: Shape, within_old: Counter[str], within_new: Counter[str]) -> float:
    """How alike two loops are: what they go over, and above all which calls they hold."""
    score = 3.0 if old.text == new.text else _text_likeness(old.text, new.text)
    score += 1.0 if old.name == new.name else 0.0
    total = (within_old | within_new).total()
    return score + (4.0 * (within_old & within_new).total() / total if total else 2.0)


@lru_cache(maxsize=4096)
def _tokens(text: str) -> Counter[str]:
    return Counter(_TOKEN.findall(text))


@lru_cache(maxsize=4096)
def _form(text: str) -> str:
    """The text with every name left open: what a rename leaves alone."""
    return _NAME.sub("_", text)
