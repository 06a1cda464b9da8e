r"""Values to JSON text and back: what a log holds of results, arguments, state and errors.

Plain data is plain JSON. Everything else is an object whose first field `$` is a tag:

    int float str       {"$":"int","v":"0x20000000000001"}   beyond 2**53; "nan" "inf" "-inf";
                        {"$":"str","v":"a\udc80","escaped":true} with lone surrogates, `\` doubled
                        a NaN has an `id` where it is found by identity; math.nan is a global in a state
    bytes bytearray     {"$":"bytes","v":base64}
    complex range slice {"$":"complex","v":["1.0","2.0"]}  {"$":"range","v":[0,3,1]}
    datetime time date timedelta timezone zoneinfo
                        {"$":"datetime","v":"2026-01-02T03:04:05","fold":1,"tz":...}; +00:00 is UTC
    decimal fraction uuid path ip pattern
                        {"$":"decimal","v":"1.50"}; `flavour` names the class of a path or an address
    tuple set frozenset list deque
                        {"$":"tuple","v":[...]}; a list only when it needs an `id` or a `type`
    dict ordereddict defaultdict counter
                        {"$":"dict","v":[[key,value],...]}, or an object as `v` when all keys are texts
    enum                {"$":"enum","type":"shop:Colour","name":"RED"}; `v` in place of `name` for flags
    object              {"$":"object","type":"shop:Line","state":{...}}: dataclass, attrs, Struct, pydantic
                        model, plain class; made without `__init__`; `unset` names fields it has no value for,
                        `version` is that of its migrations, if it is not 1; `typed` are those of the
                        TypedDicts with migrations that its fields name; so for a NamedTuple and an enum
    structseq           {"$":"structseq","type":"os:stat_result","v":[...],"state":{...}}
    exception           {"$":"exception","type":...,"args":[...],"state":{...},"cause","context","suppress"};
                        groups have `message` and `members` for `args`
    partial             {"$":"partial","v":[function,args,keywords]}
    class function global
                        {"$":"function","ref":"shop:price"}: found by name in a loaded module
    ellipsis notimplemented unbound
                        {"$":"ellipsis"}
    ref                 {"$":"ref","id":3}: the object that is written elsewhere with `"id":3`
    known               {"$":"known","i":5}: an object of the table; `state` is what it holds now
    graph               {"$":"graph","v":...,"objects":[...]}: a deep value, its deep parts written apart;
                        `versions` are those of the classes in the table, where it refers to them

A builtin's subclass has its base's tag, with `type`, and `state` when it has attributes. Nesting has no
limit. Types are looked up in loaded modules only.
"""

from flopod.errors import SerializableError

from .conversion import migrated, migrated_result
from .convert import from_plain
from .copying import copy, normalise
from .fingerprint import agree, fingerprint, is_migrated, stamped
from .immutable import is_immutable
from .known import Known
from .names import program_modules
from .plain import plain
from .schema import check_schema, json_schema
from .text import decode, decode_result, encode
from .typed import (
    argument_versions,
    hints_of,
    result_versions,
    typed_versions,
    versions_in,
)
from .unbound import UNBOUND

__all__ = [
    "UNBOUND",
    "Known",
    "SerializableError",
    "agree",
    "argument_versions",
    "check_schema",
    "copy",
    "decode",
    "decode_result",
    "encode",
    "fingerprint",
    "from_plain",
    "hints_of",
    "is_immutable",
    "is_migrated",
    "json_schema",
    "migrated",
    "migrated_result",
    "normalise",
    "plain",
    "program_modules",
    "result_versions",
    "stamped",
    "typed_versions",
    "versions_in",
]
