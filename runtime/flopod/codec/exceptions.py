"""Exceptions as values: type, arguments, attributes, notes, cause and context; never a traceback.

What an exception holds and the log cannot is replaced by its text, and a note on it says so.
"""

from typing import TYPE_CHECKING, Any

from .errors import Refused, describe
from .names import reference
from .plans import Plan, plan_of

if TYPE_CHECKING:
    from .encode import Encoder

_LIVE_ONLY = {"obj"}
"""Fields of builtin exceptions that only help while the program runs (`AttributeError.obj`)."""
_BASE_FIELDS = set(vars(BaseException))


class Dropped:
    """Stands in an exception for a value that could not be written; looks like it in messages."""

    __slots__ = ("shown", "spelled")

    def __init__(self, shown: str, spelled: str) -> None:
        self.shown = shown
        self.spelled = spelled

    def __str__(self) -> str:
        return self.shown

    def __repr__(self) -> str:
        return self.spelled

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Dropped) and (self.shown, self.spelled) == (other.shown, other.spelled)

    def __hash__(self) -> int:
        return hash((self.shown, self.spelled))


def write_exception(enc: "Encoder", error: BaseException, depth: int) -> Any:
    """Return the node of an exception; this never refuses."""
    cls = nearest_class(type(error))
    notes: list[str] = []
    if cls is not type(error):
        notes.append(f"flopod: raised as {describe(error)}, which cannot be rebuilt by its name")
    node: dict[str, Any] = {"$": "exception", "type": reference(cls)}
    if isinstance(error, BaseExceptionGroup):
        node["message"] = error.message
        node["members"] = [enc.walk(member, depth) for member in error.exceptions]
    else:
        node["args"] = [_try(enc, arg, f"args[{i}]", notes, depth) for i, arg in enumerate(error.args)]
    state = {
        name: _try(enc, part, name, notes, depth)
        for name, part in attributes(plan_of(type(error)), error).items()
        if name != "__notes__"
    }
    written = _notes(error) + notes
    if written:
        state["__notes__"] = [enc.walk(note, depth) for note in written]
    if state:
        node["state"] = state
    return node | _links(enc, error, depth)


def _links(enc: "Encoder", error: BaseException, depth: int) -> dict[str, Any]:
    links: dict[str, Any] = {}
    if error.__cause__ is not None:
        links["cause"] = enc.walk(error.__cause__, depth)
    if error.__context__ is not None:
        links["context"] = enc.walk(error.__context__, depth)
    if error.__suppress_context__:
        links["suppress"] = True
    return links


def _notes(error: BaseException) -> list[str]:
    notes = getattr(error, "__notes__", None) or ()
    return [note if isinstance(note, str) else repr(note) for note in notes]


def _try(enc: "Encoder", part: Any, name: str, notes: list[str], depth: int) -> Any:
    """Write one part of an exception on trial; a part that is refused becomes its text."""
    if type(part) in (str, int, bool, type(None)):
        return enc.walk(part, depth)
    try:
        return enc.attempt(part, depth)
    except Refused as refused:
        notes.append(f"flopod: {name} ({describe(part)}) could not be written: {refused.reason}")
        return enc.walk(Dropped(_safe(str, part), _safe(repr, part)), depth)


def _safe(show: Any, part: Any) -> str:
    try:
        return str(show(part))
    except Exception:
        return f"<{describe(part)}>"


def attributes(plan: Plan, error: BaseException) -> dict[str, Any]:
    """Return the `__dict__`, the slots and the builtin's own fields of an exception."""
    found: dict[str, Any] = {}
    for owner in type(error).__mro__:
        if owner.__module__ == "builtins":
            found |= {name: getattr(error, name, None) for name in vars(owner) if _is_field(owner, name)}
    # A builtin's unset field reads as None, and setting it to None would show in the message.
    kept = _SHOWN_AS_NONE if isinstance(error, OSError) and len(error.args) > 1 else ()
    present = {name: part for name, part in found.items() if part is not None or name in kept}
    return present | plan.state(error)


_SHOWN_AS_NONE = ("errno", "strerror")


def _is_field(owner: type, name: str) -> bool:
    if name in _BASE_FIELDS or name in _LIVE_ONLY or name.startswith("_"):
        return False
    kind = type(vars(owner)[name]).__name__
    return kind in ("member_descriptor", "getset_descriptor") and not issubclass(owner, BaseExceptionGroup)


def nearest_class(cls: type[BaseException]) -> type[BaseException]:
    """Return the class itself, or the nearest base that a reader can find and make without `__init__`."""
    for candidate in cls.__mro__:
        if issubclass(candidate, BaseException) and reference(candidate) and _can_make(candidate):
            return candidate
    return Exception


def _can_make(cls: type[BaseException]) -> bool:
    known = _makeable.get(cls)
    if known is None:
        try:
            make(cls, "", [Exception()])
            known = True
        except Exception:
            known = False
        _makeable[cls] = known
    return known


_makeable: dict[type[BaseException], bool] = {}


def make(cls: type[BaseException], message: str, members: list[Any]) -> BaseException:
    """Return an empty exception of a class, running none of its code."""
    builtin: Any = next(owner for owner in cls.__mro__ if owner.__module__ == "builtins")
    if issubclass(cls, BaseExceptionGroup):
        group: BaseException = builtin.__new__(cls, message, members)
        return group
    bare: BaseException = builtin.__new__(cls)
    return bare


def restore(error: BaseException, args: list[Any], state: dict[str, Any]) -> None:
    """Give an exception its arguments and attributes."""
    if not isinstance(error, BaseExceptionGroup):
        error.args = tuple(args)
    plan = plan_of(type(error))
    own = {name for owner in type(error).__mro__ if owner.__module__ == "builtins" for name in vars(owner)}
    for name, part in state.items():
        if name in own and name not in plan.slots:
            _set_field(error, name, part)
        else:
            plan.add_state(error, {name: part})


def _set_field(error: BaseException, name: str, part: Any) -> None:
    owner = next(o for o in type(error).__mro__ if o.__module__ == "builtins" and name in vars(o))
    vars(owner)[name].__set__(error, part)


def graft_tracebacks(live: BaseException | None, rebuilt: BaseException | None) -> None:
    """Give a rebuilt exception, its chain and its members the tracebacks of the live ones."""
    todo, seen = [(live, rebuilt)], set[int]()
    while todo:
        old, new = todo.pop()
        if old is None or new is None or id(new) in seen:
            continue
        seen.add(id(new))
        new.__traceback__ = old.__traceback__
        todo += [(old.__cause__, new.__cause__), (old.__context__, new.__context__)]
        if isinstance(old, BaseExceptionGroup) and isinstance(new, BaseExceptionGroup):
            todo += zip(old.exceptions, new.exceptions, strict=True)
