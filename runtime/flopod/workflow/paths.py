"""Paths of operations: `expedition[2]/analyze[5]/classify`, and the encoding of ids and keys in them."""

import re
from functools import lru_cache

_RESERVED = re.compile(r"[/\[\]#%\x00-\x1f\x7f-\x9f]")


def _escape(match: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in match.group().encode())


@lru_cache(maxsize=4096)
def encode_id(id: str) -> str:
    """Return the path form of an id `op` or `op#name`; only the first `#` separates."""
    op, hash_sign, name = id.partition("#")
    return _RESERVED.sub(_escape, op) + hash_sign + _RESERVED.sub(_escape, name)


def encode_key(key: object) -> str:
    """Return the path form of a loop key."""
    return _RESERVED.sub(_escape, str(key))


def op_of(id: str) -> str:
    """Return the operation's own name in an id `op#name`."""
    return id.partition("#")[0]


def iteration_path(loop: str, key: object) -> str:
    """Return the path of one iteration of the loop at `loop`."""
    return f"{loop}[{key}]" if type(key) is int else f"{loop}[{encode_key(key)}]"


def ancestors(path: str) -> list[str]:
    """Return the paths of the scopes around `path`, outermost first, without the root."""
    parts = path.split("/")
    return ["/".join(parts[:count]) for count in range(1, len(parts))]
