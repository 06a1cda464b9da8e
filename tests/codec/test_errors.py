"""What cannot be written is named with its place; what cannot be read is never guessed or imported."""

import socket
import sys
import threading
import types
from typing import Any

import pytest

from flopod.codec import SerializableError, decode, encode, program_modules

from . import shop


def stream() -> Any:
    """A generator object."""
    yield 1


@pytest.mark.parametrize(
    "thing",
    [
        iter([]),
        stream(),
        threading.Lock(),
        sys.stdout,
        sys,
        memoryview(b""),
        {}.keys(),
        object(),
        shop.Tricky(),
        threading.Event(),
        sys._getframe(),
        lambda: 1,
        shop.client.fetch,
    ],
    ids=lambda thing: type(thing).__name__,
)
def test_what_is_not_data_is_refused_with_its_place(thing: Any) -> None:
    """The error names the place in the value, its type and why."""
    value = {"items": [1, shop.Plain(thing)]}
    with pytest.raises(SerializableError) as caught:
        encode(value, label="result")
    assert caught.value.field == "result['items'][1].value"
    assert type(thing).__qualname__ in str(caught.value)


def test_a_socket_in_an_object_is_named_by_its_field() -> None:
    """The offending field is found inside objects and tuples."""
    with socket.socket() as live, pytest.raises(SerializableError) as caught:
        encode((1, shop.Line("a", tags=[live])), label="argument 'x'")  # type: ignore[list-item]
    assert caught.value.field == "argument 'x'[1].tags[0]"


def test_an_object_of_a_local_class_is_refused_with_advice() -> None:
    """A class that no name leads to cannot be rebuilt."""

    class Local:
        pass

    with pytest.raises(SerializableError, match="define it at module level"):
        encode(Local())


def test_a_local_class_itself_is_refused() -> None:
    """So is the class as a value."""

    class Local:
        pass

    with pytest.raises(SerializableError, match="module level"):
        encode([Local])


def test_reading_never_imports() -> None:
    """A type of a module that is not loaded is an error that says so, and the module stays unloaded."""
    assert "colorsys" not in sys.modules
    with pytest.raises(SerializableError, match="'colorsys' is not loaded"):
        decode(b'{"$":"object","type":"colorsys:Thing","state":{}}')
    assert "colorsys" not in sys.modules


def test_modules_of_the_program_may_be_imported(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """A module that the program declares as its own import is loaded when a value needs it."""
    (tmp_path / "lazily.py").write_text("class Thing:\n    pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    program_modules(["lazily"])
    back = decode(b'{"$":"object","type":"lazily:Thing","state":{"a":1}}')
    assert back.a == 1
    monkeypatch.delitem(sys.modules, "lazily")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b'{"$":"object","type":"sys:gone","state":{}}', "put it back"),
        (b'{"$":"enum","type":"%s:Colour","name":"GREEN"}' % shop.__name__.encode(), "no member 'GREEN'"),
        (b'{"$":"novelty","v":1}', "'novelty'"),
        (b'[{"$":"ref","id":4}]', "object 4"),
        (b'{"$":"known","i":0}', "table"),
        (b'{"$":"list","type":"sys:path","v":[]}', "not one any more"),
    ],
)
def test_what_cannot_be_read_is_an_error(text: bytes, message: str) -> None:
    """A missing class, member, tag or object is named."""
    with pytest.raises(SerializableError, match=message):
        decode(text)


def test_types_of_the_main_program_are_found() -> None:
    """Classes of `__main__` are referred to by that name."""
    main = sys.modules["__main__"]
    made = types.new_class("Made", (), {}, lambda body: body.update(__module__="__main__"))
    main.Made = made  # type: ignore[attr-defined]
    try:
        assert type(decode(encode(made()))) is made
    finally:
        del main.Made


def test_a_class_that_changes_nothing_but_looks_is_data() -> None:
    """A value's own `__eq__`, `__getattr__` and properties are not asked while it is written."""

    assert type(decode(encode(Guarded()))) is Guarded


class Guarded:
    """Objects that object to being looked at."""

    def __init__(self) -> None:
        self.__dict__["inner"] = 1

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(name)

    def __setattr__(self, name: str, value: Any) -> None:
        raise RuntimeError(name)

    def __eq__(self, other: object) -> bool:
        raise RuntimeError

    __hash__ = None  # type: ignore[assignment]


@pytest.mark.parametrize(("thing", "said"), [(object(), "an object"), (shop.Tricky(), "a codec.shop.Tricky")])
def test_the_article_fits_the_type(thing: Any, said: str) -> None:
    """A message is a sentence."""
    with pytest.raises(SerializableError, match=f"^value is {said} and cannot be written"):
        encode(thing)
