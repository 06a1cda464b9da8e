"""Methods of plain data: which names belong to it, and which change their receiver."""

from __future__ import annotations

import collections
import datetime
import decimal
import fractions
import pathlib
import re
import uuid

from flopod_compiler.knowledge.concurrency import is_asyncio_type
from flopod_compiler.knowledge.known import words

MUTATORS = frozenset(
    words("""
    append extend insert remove pop clear sort reverse add discard update intersection_update
    difference_update symmetric_difference_update setdefault popitem appendleft extendleft popleft rotate
    move_to_end subtract write writelines writerow writerows writeheader truncate seek readline read
    add_note __setitem__ __delitem__ push enter_context callback pop_all close send throw
    enter_async_context push_async_callback push_async_exit
    """)
)
"""Names of methods that change plain data in place."""

_DATA_CLASSES = (
    *(str, bytes, bytearray, list, dict, set, frozenset, tuple, int, float, complex, range, slice),
    *(collections.deque, collections.OrderedDict, collections.Counter, collections.defaultdict),
    *(datetime.datetime, datetime.date, datetime.time, datetime.timedelta, datetime.timezone),
    *(decimal.Decimal, fractions.Fraction, uuid.UUID, re.Pattern, re.Match),
    *(pathlib.PurePath, BaseException),
)
_CLOCK = {"now", "utcnow", "today"}
_EXTRA = frozenset(
    words("""
    hexdigest digest model_dump model_dump_json model_copy model_validate _asdict _replace __getitem__
    __contains__ __len__ readable total_seconds isoformat __eq__ __lt__ __hash__ __str__ __repr__
    """)
)

METHODS = frozenset(
    {name for cls in _DATA_CLASSES for name in dir(cls) if not name.startswith("_")} - _CLOCK
    | MUTATORS
    - {"write", "writelines", "read", "readline", "send", "close", "push", "callback", "truncate"}
    - {"seek", "enter_context", "pop_all", "throw"}
    - {"enter_async_context", "push_async_callback", "push_async_exit"}
    | _EXTRA
)
"""Names of methods that a value of unknown type is taken to have as plain data."""

_PURE_PATH = frozenset(name for name in dir(pathlib.PurePath) if not name.startswith("_"))
_PATHS = frozenset({"pathlib.Path", "pathlib.PosixPath", "pathlib.WindowsPath"})

_IN_MEMORY = frozenset(
    words("""
    io.StringIO io.BytesIO csv.writer csv.DictWriter csv.reader csv.DictReader random.Random
    hashlib._Hash hmac.HMAC string.Template array.array re.Pattern re.Match difflib.SequenceMatcher
    graphlib.TopologicalSorter contextlib.ExitStack contextlib.AsyncExitStack
    calendar.Calendar calendar.TextCalendar
    zoneinfo.ZoneInfo types.SimpleNamespace types.MappingProxyType collections.ChainMap
    collections.UserDict collections.UserList ipaddress.IPv4Network json.JSONEncoder
    json.JSONDecoder statistics.NormalDist operator.attrgetter decimal.Context ipaddress.IPv4Address
    ipaddress.IPv6Address ipaddress.IPv6Network urllib.parse.ParseResult pydantic.BaseModel
    pydantic.RootModel msgspec.Struct typing.NamedTuple enum.Enum enum.IntEnum enum.StrEnum
    enum.Flag enum.IntFlag time.struct_time struct.Struct
    """)
)
_CHANGED_BY_USE = frozenset({"random.Random", "graphlib.TopologicalSorter", "csv.reader", "csv.DictReader"})
_HASHES = frozenset({"hashlib._Hash", "hmac.HMAC"})
_DATA_TYPES = frozenset({f"{cls.__module__}.{cls.__qualname__}" for cls in _DATA_CLASSES}) | {
    "iterator",
    "builtins.NoneType",
    "builtins.bool",
    "builtins.ellipsis",
    "builtins.memoryview",
}

CHANGED_ARGUMENTS: dict[str, frozenset[int | str]] = {
    "random.Random.shuffle": frozenset({0, "x"}),
    "io.BytesIO.readinto": frozenset({0}),
    "struct.Struct.pack_into": frozenset({0, "buffer"}),
}
"""Methods of plain data that change an argument."""


def is_data_type(name: str) -> bool:
    """Whether a type outside the project is plain data, whose methods have no effects."""
    return name in _DATA_TYPES or name in _IN_MEMORY or name.startswith(("collections.abc.", "pathlib.Pure"))


def is_foreign(name: str) -> bool:
    """Whether a type outside the project is known and is no data: a client, a session, a lock."""
    if "." not in name or name.startswith(("builtins.", "typing", "logging.Log")):
        return False
    return not is_data_type(name) and not is_asyncio_type(name) and name not in _PATHS


def is_pure_method(type_name: str, method: str) -> bool:
    """Whether a method of a type outside the project is known to have no effects but on its receiver."""
    if type_name in _PATHS:
        return method in _PURE_PATH
    if type_name.startswith("builtins.") and type_name.endswith(("Error", "Exception", "Warning", "Group")):
        return True
    return is_data_type(type_name) and method not in _CLOCK


def changes_receiver(type_name: str, method: str) -> bool:
    """Whether a method of plain data changes its receiver in place."""
    if type_name in ("builtins.str", "builtins.bytes") or type_name in _PATHS:
        return False
    if type_name.startswith(("datetime.", "decimal.Decimal", "fractions.", "uuid.")):
        return False
    if type_name in _CHANGED_BY_USE:
        return True
    if type_name in _HASHES:
        return method == "update"
    return method in MUTATORS
