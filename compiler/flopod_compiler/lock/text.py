"""The text of flopod.lock: TOML with one line an entry, in an order that an edit elsewhere leaves alone."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from flopod.errors import UsageError
from flopod_compiler.lock.model import Entry, Generation, Lock, Move, Renamed
from flopod_compiler.sites import Shape

NAME = "flopod.lock"
FORMAT = 1
_HEAD = f"""\
# The ids of durable calls, kept while the source is edited. `flopod build` writes this file: commit it.
# A line that says `gone` stays, so that its id is never given to another call.
format = {FORMAT}
"""


def lock_path(src: Path) -> Path:
    """Where the lock of a source is: in its root, or beside that with the pyproject.toml or around `src`.

    A single file has a lock of its own.
    """
    src = src.resolve()
    if src.is_file():
        return src.with_name(f"{src.stem}.{NAME}")
    for folder in (src, src.parent):
        if (folder / NAME).is_file() or (folder / "pyproject.toml").is_file():
            return folder / NAME
    return (src.parent if src.name == "src" else src) / NAME


def read_lock(path: Path) -> Lock | None:
    """The lock at `path`, None if there is none. Raises UsageError if it cannot be read."""
    text = lock_text(path)
    return parse_lock(path, text) if text is not None else None


def lock_text(path: Path) -> str | None:
    """The text at `path`, None if there is none. Raises UsageError if it cannot be read."""
    try:
        return path.read_text("utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeError) as error:
        raise UsageError(f"{path}: {error}") from None


def parse_lock(path: Path, text: str) -> Lock:
    """The lock that is written at `path`. Raises UsageError if it is none."""
    try:
        return parse(text)
    except tomllib.TOMLDecodeError as error:
        hint = "; resolve the merge: keep the lines of both sides" if "<<<<<<<" in text else ""
        raise UsageError(f"{path}: not a lock file ({error}){hint}") from None
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UsageError(f"{path}: not a lock file ({error!r}); take it from version control") from None


def parse(text: str) -> Lock:
    """The lock that `text` holds. Raises ValueError and the like if it is none."""
    data = tomllib.loads(text)
    if data["format"] != FORMAT:
        raise ValueError(f"format {data['format']}, this flopod writes {FORMAT}")
    lock = Lock(
        generations=[
            Generation(one["id"], one["build"], tuple(one.get("after", ()))) for one in data["generations"]
        ],
        workflows=dict(data.get("workflows", {})),
        moves=[Move(*_change(one)) for one in data.get("moved", ())],
        parameters={name: list(some) for name, some in data.get("parameters", {}).items()},
        renamed=[Renamed(*_change(one)) for one in data.get("renamed", ())],
    )
    for function, lines in data.get("ids", {}).items():
        lock.functions[function] = [_entry(path, line) for path, line in lines.items()]
    return lock


def _change(one: Mapping[str, str]) -> tuple[str, str, str, str]:
    return one["workflow"], one["from"], one["to"], one["in"]


def _entry(path: str, line: Mapping[str, Any]) -> Entry:
    values = {name: line.get(key, "") for name, key in _SHAPE.items()}
    times = {key: line.get(key, "") for key in ("since", "changed", "moved", "gone")}
    if not all(isinstance(value, str) for value in (*values.values(), *times.values())):
        raise TypeError(f"{path}: every value is a string")
    return Entry(path, Shape(**values), **times)


_SHAPE = {
    "kind": "kind",
    "callee": "callee",
    "text": "of",
    "name": "name",
    "within": "within",
    "carries": "carries",
}


def render(lock: Lock) -> str:
    """The text of a lock: the same lock gives the same text."""
    parts = [_HEAD, _array("generations", map(_generation, lock.generations))]
    if lock.moves:
        parts.append(_array("moved", map(_move, lock.moves)))
    if lock.renamed:
        parts.append(_array("renamed", map(_move, lock.renamed)))
    workflows = [f"{_quote(name)} = {_quote(lock.workflows[name])}\n" for name in sorted(lock.workflows)]
    parts.append("\n[workflows]\n" + "".join(workflows))
    parameters = [f"{_quote(name)} = {_list(some)}\n" for name, some in sorted(lock.parameters.items())]
    parts.append("\n[parameters]\n" + "".join(parameters))
    for function in sorted(lock.functions):
        lines = [f"{_quote(entry.path)} = {_line(entry)}\n" for entry in lock.functions[function]]
        parts.append(f"\n[ids.{_quote(function)}]\n" + "".join(lines))
    return "".join(parts)


def _array(name: str, items: Iterable[str]) -> str:
    return f"{name} = [\n" + "".join(f"  {item},\n" for item in items) + "]\n"


def _generation(one: Generation) -> str:
    after = f", after = {_list(one.after)}" if one.after else ""
    return f"{{ id = {_quote(one.id)}, build = {_quote(one.build)}{after} }}"


def _move(one: Move | Renamed) -> str:
    return _table({"workflow": one.workflow, "from": one.old, "to": one.new, "in": one.generation})


def _line(entry: Entry) -> str:
    values = {key: getattr(entry.shape, name) for name, key in _SHAPE.items()}
    times = {key: getattr(entry, key) for key in ("since", "changed", "moved", "gone")}
    return _table({key: value for key, value in (values | times).items() if value})


def _table(values: Mapping[str, str]) -> str:
    return "{ " + ", ".join(f"{key} = {_quote(value)}" for key, value in values.items()) + " }"


def _list(texts: Iterable[str]) -> str:
    return f"[{', '.join(map(_quote, texts))}]"


def _quote(text: str) -> str:
    """A TOML basic string; its escapes are those of JSON, except DEL."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007F")
