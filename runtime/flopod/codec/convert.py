"""JSON data -> a value of an annotated type: inputs of workflows and payloads of events."""

import collections
import importlib
import inspect
import types
from collections.abc import Callable
from enum import Enum
from typing import Any, Union, get_args, get_origin

import msgspec

from flopod.errors import BadInput

from .unknown import refuse_unknown

UNTYPED = (Any, None, object, inspect.Parameter.empty)


def from_plain(data: Any, annotation: Any, *, label: str = "", strict: bool = False) -> Any:
    """Return JSON data as a value of the annotated type; as it is when there is none.

    A name that is in no field is passed over, unless `strict`. Raises BadInput that names the place
    (`label` is its root), what was expected and what was given.
    """
    if any(annotation is untyped for untyped in UNTYPED):
        return data
    try:
        value = _convert(data, annotation)
    except msgspec.ValidationError as error:
        message, *places = str(error).split(" - at `$")
        place = "".join(part.rstrip("`") for part in reversed(places))
        raise BadInput(message.replace("`", ""), field=(label + place).lstrip(".")) from None
    if strict:
        refuse_unknown(data, value, label)
    return value


def _convert(data: Any, annotation: Any) -> Any:
    try:
        return msgspec.convert(data, annotation, dec_hook=_hook)
    except TypeError as error:
        if isinstance(annotation, type) and issubclass(annotation, Enum):
            return _member(annotation, data)
        if get_origin(annotation) in (Union, types.UnionType):
            return _first_that_fits(data, get_args(annotation))
        raise msgspec.ValidationError(f"{_name(annotation)} cannot be made from JSON: {error}") from None


def _member(kind: type[Enum], data: Any) -> Any:
    """Enums whose values are not all texts or all integers."""
    for member in kind:
        if type(member.value) is type(data) and member.value == data:
            return member
    raise msgspec.ValidationError(f"Invalid enum value {data!r} for {_name(kind)}")


def _first_that_fits(data: Any, arms: tuple[Any, ...]) -> Any:
    """A union that msgspec does not take as a whole: the arms in their order."""
    for arm in arms:
        try:
            return _convert(data, type(None) if arm is None else arm)
        except msgspec.ValidationError:
            continue
    wanted = " | ".join(map(_name, arms))
    raise msgspec.ValidationError(f"Expected {wanted}, got {_json_name(data)}")


def _hook(annotation: Any, data: Any) -> Any:
    """Make the types that msgspec does not know. It adds the place to a ValueError, not to its own error."""
    try:
        return _make(annotation, data)
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from None


def _make(annotation: Any, data: Any) -> Any:
    kind = get_origin(annotation) or annotation
    if isinstance(kind, type):
        if hasattr(kind, "__pydantic_fields__"):
            return _pydantic(kind, data)
        if kind in _CONTAINERS:
            return _CONTAINERS[kind](data, get_args(annotation))
        for base in kind.__mro__:
            names = _FROM_TEXT.get(f"{base.__module__}:{base.__qualname__}")
            if names is not None:
                return _from_text(kind, data, names)
        if isinstance(data, kind):
            return data
    raise msgspec.ValidationError(
        f"{_name(annotation)} cannot be made from JSON; annotate with a dataclass, or take plain data"
    )


def _pydantic(model: Any, data: Any) -> Any:
    try:
        return model.model_validate(data)
    except ValueError as error:
        first = error.errors()[0]  # type: ignore[attr-defined]
        place = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in first["loc"])
        got = _json_name(first.get("input"))
        raise msgspec.ValidationError(f"{first['msg']}, got {got} - at `${place}`") from None


def _from_text(kind: Callable[..., Any], data: Any, accepted: tuple[type, ...]) -> Any:
    if isinstance(data, bool) or not isinstance(data, accepted):
        wanted = " | ".join(_JSON_NAMES[one] for one in accepted)
        raise msgspec.ValidationError(f"Expected {wanted} for {_name(kind)}, got {_json_name(data)}")
    try:
        if getattr(kind, "__name__", "") == "Pattern":
            return importlib.import_module("re").compile(data)
        return kind(*data) if isinstance(data, list) else kind(data)
    except (ValueError, ArithmeticError, TypeError, LookupError) as error:
        raise msgspec.ValidationError(f"{data!r} is not a {_name(kind)}: {error}") from None


_FROM_TEXT: dict[str, tuple[type, ...]] = {
    "builtins:complex": (str, int, float, list),
    "fractions:Fraction": (str, int),
    "pathlib:PurePath": (str,),
    "pathlib._local:PurePath": (str,),
    "zoneinfo:ZoneInfo": (str,),
    "re:Pattern": (str,),
    "builtins:range": (list,),
    "builtins:bytearray": (str,),
    **{f"ipaddress:IPv{v}{kind}": (str,) for v in (4, 6) for kind in ("Address", "Network", "Interface")},
}


def _deque(data: Any, args: tuple[Any, ...]) -> Any:
    return collections.deque(_convert(data, _of(list, args)))


def _counter(data: Any, args: tuple[Any, ...]) -> Any:
    return collections.Counter(_convert(data, _of(dict, (*(args or (str,)), int))))


def _mapping(kind: Callable[..., Any]) -> Callable[[Any, tuple[Any, ...]], Any]:
    return lambda data, args: kind(_convert(data, _of(dict, args)))


def _of(kind: Any, args: tuple[Any, ...]) -> Any:
    return kind[args] if args else kind


_CONTAINERS: dict[type, Callable[[Any, tuple[Any, ...]], Any]] = {
    collections.deque: _deque,
    collections.OrderedDict: _mapping(collections.OrderedDict),
    collections.defaultdict: _mapping(lambda items: collections.defaultdict(None, items)),
    collections.Counter: _counter,
}

_JSON_NAMES: dict[type, str] = {
    type(None): "null",
    bool: "bool",
    int: "int",
    float: "float",
    str: "str",
    list: "array",
    dict: "object",
}


def _json_name(data: Any) -> str:
    return _JSON_NAMES.get(type(data), type(data).__name__)


def _name(annotation: Any) -> str:
    if isinstance(annotation, type) and not get_args(annotation):
        return annotation.__qualname__
    return str(annotation)
