"""What is known of types outside the project: results of builtins, methods and operators."""

from __future__ import annotations

import ast

from flopod_compiler.knowledge.known import words
from flopod_compiler.types.model import ITERATOR, MAPPINGS, Type, Types, element, of, union

_STR, _INT, _FLOAT, _BOOL, _BYTES = (of(f"builtins.{n}") for n in ("str", "int", "float", "bool", "bytes"))
_DATETIME = of("datetime.datetime")
_NUMBERS = ("builtins.bool", "builtins.int", "builtins.float", "builtins.complex")

_RETURNS: dict[str, Types] = {
    **dict.fromkeys(words("len ord hash id", "builtins."), _INT),
    **dict.fromkeys(
        words("math.floor math.ceil math.comb math.gcd time.time_ns os.getpid os.cpu_count"), _INT
    ),
    **dict.fromkeys(words("random.randint random.randrange random.getrandbits secrets.randbelow"), _INT),
    **dict.fromkeys(words("repr format chr hex bin oct ascii input", "builtins."), _STR),
    **dict.fromkeys(
        words("""
        json.dumps textwrap.dedent html.escape re.sub string.capwords urllib.parse.quote
        urllib.parse.urlencode socket.gethostname platform.node os.getcwd os.getenv secrets.token_hex
        secrets.token_urlsafe os.path.join os.path.basename os.path.dirname
        """),
        _STR,
    ),
    **dict.fromkeys(words("isinstance issubclass callable any all hasattr", "builtins."), _BOOL),
    **dict.fromkeys(words("math.isclose math.isnan"), _BOOL),
    **dict.fromkeys(words("time.time time.monotonic time.perf_counter math.sqrt"), _FLOAT),
    **dict.fromkeys(words("random.random random.uniform"), _FLOAT),
    **dict.fromkeys(words("base64.b64encode secrets.token_bytes os.urandom"), _BYTES),
    **dict.fromkeys(
        words("now utcnow today fromisoformat strptime fromtimestamp combine", "datetime.datetime."),
        _DATETIME,
    ),
    **dict.fromkeys(words("today fromisoformat", "datetime.date."), of("datetime.date")),
    **dict.fromkeys(words("uuid1 uuid3 uuid4 uuid5 uuid7", "uuid."), of("uuid.UUID")),
    **dict.fromkeys(words("match search fullmatch", "re."), of("re.Match")),
    **dict.fromkeys(words("sha1 sha256 sha512 md5 blake2b", "hashlib."), of("hashlib._Hash")),
    **dict.fromkeys(words("cwd home", "pathlib.Path."), of("pathlib.Path")),
    "re.compile": of("re.Pattern"),
    "re.findall": of("builtins.list"),
    "re.split": of("builtins.list", _STR),
    "logging.getLogger": of("logging.Logger"),
    "random.shuffle": of("builtins.NoneType"),
}

_SAME_ELEMENTS = {
    "builtins.list": "builtins.list",
    "builtins.sorted": "builtins.list",
    "builtins.set": "builtins.set",
    "builtins.frozenset": "builtins.frozenset",
    "builtins.tuple": "builtins.tuple",
    "builtins.reversed": ITERATOR,
    "builtins.iter": ITERATOR,
    "collections.deque": "collections.deque",
    "itertools.islice": ITERATOR,
}
_SAME = frozenset({"copy.copy", "copy.deepcopy", "dataclasses.replace", "builtins.abs"})
_ITERATORS = frozenset({"builtins.map", "builtins.filter", "itertools.chain", "itertools.count"})
_STR_METHODS = {
    "split": of("builtins.list", _STR),
    "rsplit": of("builtins.list", _STR),
    "splitlines": of("builtins.list", _STR),
    "partition": of("builtins.tuple", _STR, _STR, _STR),
    "rpartition": of("builtins.tuple", _STR, _STR, _STR),
    "encode": _BYTES,
    **dict.fromkeys(("find", "rfind", "index", "rindex", "count"), _INT),
    **dict.fromkeys(("startswith", "endswith"), _BOOL),
}
_SAME_TYPE_METHODS = frozenset(
    words("""
    copy replace astimezone quantize normalize union difference intersection symmetric_difference conjugate
    """)
)
_PATHS = frozenset({"pathlib.Path", "pathlib.PurePath", "pathlib.PosixPath", "pathlib.PurePosixPath"})
_PATH_METHODS = frozenset({
    "with_name", "with_suffix", "with_stem", "joinpath", "relative_to", "absolute", "resolve", "expanduser",
    "rename", "replace", "readlink", "with_segments",
})  # fmt: skip
_PATH_RESULTS = {
    **dict.fromkeys(("as_posix", "as_uri", "read_text", "owner", "group"), _STR),
    **dict.fromkeys(("exists", "is_file", "is_dir", "is_absolute", "match", "is_relative_to"), _BOOL),
    "read_bytes": _BYTES,
    "write_text": _INT,
    "write_bytes": _INT,
}
_ARITHMETIC_SAME = frozenset({"decimal.Decimal", "fractions.Fraction", "datetime.timedelta"})
_SEQUENCES = frozenset({"builtins.str", "builtins.bytes", "builtins.list", "builtins.tuple"})


def constructed(qualified: str, arguments: list[Types]) -> Types:
    """The instance that calling a class outside the project gives, with its elements if they follow."""
    if qualified in _SAME_ELEMENTS:
        return of(_SAME_ELEMENTS[qualified], element(arguments[0]) if arguments else None)
    name = qualified.rpartition(".")[2]
    if qualified in ("builtins.int", "builtins.float", "builtins.str", "builtins.bool", "builtins.bytes"):
        return of(qualified)
    if qualified == "builtins.dict":
        return arguments[0] if arguments and _is_mapping(arguments[0]) else of(qualified)
    if qualified == "builtins.enumerate":
        return of(ITERATOR, of("builtins.tuple", _INT, element(arguments[0]) if arguments else None))
    if qualified == "builtins.zip":
        return of(ITERATOR, of("builtins.tuple", *(element(one) for one in arguments)))
    if qualified in _ITERATORS:
        return of(ITERATOR)
    if qualified.startswith("builtins.") and name in ("complex", "bytearray", "range", "slice"):
        return of(qualified)
    if name[:1].isupper() or qualified in _LOWER_CLASSES:
        return of(qualified)
    return None


_LOWER_CLASSES = frozenset({
    "datetime.datetime", "datetime.date", "datetime.time", "datetime.timedelta", "datetime.timezone",
    "collections.deque", "collections.defaultdict", "csv.writer", "csv.reader", "array.array",
})  # fmt: skip


def returned(qualified: str, arguments: list[Types]) -> Types:
    """What a known function outside the project returns."""
    if qualified in _RETURNS:
        return _RETURNS[qualified]
    if qualified in _SAME:
        return arguments[0] if arguments else None
    if qualified in ("builtins.min", "builtins.max", "random.choice"):
        return element(arguments[0]) if len(arguments) == 1 else union(*arguments)
    if qualified == "builtins.round":
        return _INT if len(arguments) == 1 and arguments[0] == _FLOAT else arguments[0] if arguments else None
    if qualified == "builtins.sum":
        return element(arguments[0]) if arguments else None
    if qualified == "builtins.next":
        return element(arguments[0]) if arguments else None
    if qualified == "builtins.divmod":
        return of("builtins.tuple", _INT, _INT) if arguments == [_INT, _INT] else None
    return None


def method_result(receiver: Type, name: str) -> Types:
    """What a method of plain data returns."""
    if receiver.name == "builtins.str":
        return _STR_METHODS.get(name, _BOOL if name.startswith("is") else _STR)
    if receiver.name in MAPPINGS:
        return _mapping_method(receiver, name)
    if receiver.name in _PATHS:
        return frozenset({receiver}) if name in _PATH_METHODS else _PATH_RESULTS.get(name)
    if name in _SAME_TYPE_METHODS:
        return frozenset({receiver})
    if name in ("pop", "popleft", "get"):
        return element(frozenset({receiver}))
    if name in ("index", "count", "bit_length", "toordinal", "weekday", "isoweekday"):
        return _INT
    if name in ("isoformat", "strftime", "hexdigest", "group", "ctime", "getvalue"):
        return _STR
    if name in ("timestamp", "total_seconds"):
        return _FLOAT
    if receiver.name == "datetime.datetime" and name in ("date", "time"):
        return of(f"datetime.{name}")
    return _BYTES if name == "digest" else None


def attribute_result(owner: str, name: str) -> Types:
    """What an attribute of a value of a known type is."""
    if owner.startswith("datetime.") and name in _DATE_PARTS:
        return _INT
    if owner == "uuid.UUID":
        return _STR if name == "hex" else _INT if name == "int" else None
    if owner in _PATHS:
        return _path_attribute(owner, name)
    return None


def _path_attribute(owner: str, name: str) -> Types:
    if name in ("name", "stem", "suffix", "root", "anchor", "drive"):
        return _STR
    if name in ("parts", "suffixes"):
        return of("builtins.list", _STR)
    return of(owner) if name == "parent" else None


_DATE_PARTS = frozenset(
    {"year", "month", "day", "hour", "minute", "second", "microsecond", "days", "seconds"}
)


def binary(op: ast.operator, left: Types, right: Types) -> Types:
    """What an operator gives for operands of known plain types; unknown for all others."""
    if left is None or right is None or len(left) != 1 or len(right) != 1:
        return None
    one, other = next(iter(left)), next(iter(right))
    if one.name in _PATHS and isinstance(op, ast.Div):
        return left
    if one.name in _NUMBERS and other.name in _NUMBERS:
        return _number(op, one.name, other.name)
    if one.name in _ARITHMETIC_SAME and (other.name == one.name or other.name in _NUMBERS[:3]):
        return left if not isinstance(op, ast.Div) or one.name != "datetime.timedelta" else None
    if other.name in _ARITHMETIC_SAME and one.name in _NUMBERS[:2]:
        return right
    if one.name in ("datetime.datetime", "datetime.date"):
        return _moment(op, left, one.name, other.name)
    if one.name in _SEQUENCES:
        return _sequence(op, left, right, one.name, other.name)
    return None


def _number(op: ast.operator, one: str, other: str) -> Types:
    if isinstance(op, ast.BitAnd | ast.BitOr | ast.BitXor) and one == other == "builtins.bool":
        return _BOOL
    rank = max(_NUMBERS.index(one), _NUMBERS.index(other), 1)
    if isinstance(op, ast.Div):
        rank = max(rank, 2)
    if isinstance(op, ast.Pow):
        return frozenset({Type("builtins.int"), Type("builtins.float")}) if rank == 1 else of(_NUMBERS[rank])
    return of(_NUMBERS[rank])


def _moment(op: ast.operator, left: Types, one: str, other: str) -> Types:
    if other == "datetime.timedelta":
        return left
    return of("datetime.timedelta") if other == one and isinstance(op, ast.Sub) else None


def _sequence(op: ast.operator, left: Types, right: Types, one: str, other: str) -> Types:
    if isinstance(op, ast.Mult) and other in _NUMBERS[:2]:
        return left
    if not isinstance(op, ast.Add) or one != other:
        return None
    if one in ("builtins.str", "builtins.bytes"):
        return left
    return of(one, union(element(left), element(right))) if one == "builtins.list" else None


def _mapping_method(receiver: Type, name: str) -> Types:
    key, value = (*receiver.args, None, None)[:2]
    if name in ("get", "pop", "setdefault"):
        return value
    if name == "items":
        return of(ITERATOR, of("builtins.tuple", key, value))
    if name in ("keys", "values"):
        return of(ITERATOR, key if name == "keys" else value)
    return frozenset({receiver}) if name == "copy" else None


def _is_mapping(types: Types) -> bool:
    return types is not None and all(one.name in MAPPINGS for one in types)
