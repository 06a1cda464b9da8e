"""FLP204, FLP215: what depends on the addresses of objects."""

from __future__ import annotations

from flopod_compiler.diagnostics.rule import Rule

_HEAD = "from flopod import workflow\n\n"
_BARE = "class Line:\n    pass\n\n"
_DATA = "from dataclasses import dataclass\n\n@dataclass(frozen=True)\nclass Line:\n    sku: str = ''\n\n"


class AddressOrder(Rule):
    code = "FLP204"
    title = "The order of a set whose elements hash by their address"
    why = (
        "The hash seed of a run is fixed, so sets of text, numbers and data iterate alike after a "
        "resume. An object "
        "without `__hash__` hashes by its address, which is another one in each process: so is the "
        "order of the set."
    )
    message = "the order of `{text}` is that of addresses in memory: {cls} has no `__hash__` of its own"
    help = "keep them in a list or a dict, or make {cls} a `@dataclass(frozen=True)`"
    suppressible = True
    valid = (
        _HEAD
        + _DATA
        + "@workflow\nasync def main(lines: set[Line]):\n    return [line.sku for line in lines]\n",
    )
    invalid = (
        _HEAD
        + _BARE
        + "@workflow\nasync def main(lines: set[Line]):\n    return [1 for line in lines]  # FLP204\n",
        _HEAD + _BARE + "@workflow\nasync def main(lines: set[Line]):\n    return list(lines)  # FLP204\n",
    )


class DefaultRepr(Rule):
    code = "FLP215"
    title = "Text with the address of an object"
    why = (
        "An object without `__repr__` or `__str__` shows its address, which is another one after a "
        "resume. Given to a "
        "leaf, such a text makes the run diverge."
    )
    message = "`{text}` shows an address: {cls} has no `__repr__` of its own"
    help = "give {cls} a `__repr__`, make it a dataclass, or name the field that is meant"
    severity = "warning"
    valid = (
        _HEAD
        + _DATA
        + "@workflow\nasync def main(line: Line):\n    return f'{{line}}'\n".replace("{{", "{").replace(
            "}}", "}"
        ),
    )
    invalid = (
        _HEAD + _BARE + "@workflow\nasync def main(line: Line):\n    return f'bad {line}'  # FLP215\n",
        _HEAD + _BARE + "@workflow\nasync def main(line: Line):\n    return str(line)  # FLP215\n",
    )
