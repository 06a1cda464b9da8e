"""The parameters of a workflow as the lock holds them, and which of them have another name now."""

from __future__ import annotations

import ast
from collections.abc import Sequence


def signature(arguments: ast.arguments) -> list[str]:
    """The parameters of a workflow with their annotations, without defaults: `order_id: str`, `*`, `rush`."""
    found = [_text(one) for one in arguments.posonlyargs]
    found += ["/"] if found else []
    found += [_text(one) for one in arguments.args]
    if arguments.vararg is not None:
        found.append(f"*{_text(arguments.vararg)}")
    elif arguments.kwonlyargs:
        found.append("*")
    found += [_text(one) for one in arguments.kwonlyargs]
    return found + ([f"**{_text(arguments.kwarg)}"] if arguments.kwarg is not None else [])


def renamed(before: Sequence[str], now: Sequence[str]) -> dict[str, str]:
    """Old names of parameters to new ones, where nothing but the name is different.

    Parameters of both stand in the same order, and between two of them there are as many new names as
    there were old ones, of the same annotations.
    """
    old, new = [_name(one) for one in before], [_name(one) for one in now]
    stay = [name for name in old if name in new]
    if stay != [name for name in new if name in old]:
        return {}
    found: dict[str, str] = {}
    for was, one in zip(_between(before, stay), _between(now, stay), strict=True):
        if [_annotation(each) for each in was] == [_annotation(each) for each in one]:
            found |= dict(zip(map(_name, was), map(_name, one), strict=True))
    return found


def _between(parameters: Sequence[str], stay: Sequence[str]) -> list[list[str]]:
    """The parameters before, between and after those that stay."""
    found: list[list[str]] = [[]]
    for one in parameters:
        if _name(one) in stay:
            found.append([])
        else:
            found[-1].append(one)
    return found


def _text(one: ast.arg) -> str:
    return f"{one.arg}: {ast.unparse(one.annotation)}" if one.annotation is not None else one.arg


def _name(parameter: str) -> str:
    return parameter.partition(":")[0]


def _annotation(parameter: str) -> str:
    return parameter.partition(":")[2]
