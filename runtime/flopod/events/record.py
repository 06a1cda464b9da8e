"""Events to lines of a log and back: one line of JSON each, with a sequence number and a checksum.

    {"seq":1,"kind":"activity_started","path":"lines[0]/price_line","at":1760000000000,...,"crc":"9a3f12bc"}

The checksum is the CRC-32 of the line's bytes without the `,"crc":"........"` part.
"""

from typing import NamedTuple
from zlib import crc32

import msgspec

from flopod.errors import DamagedRecord, SerializableError
from flopod.events.events import Event
from flopod.events.kinds import AnyEvent

_TRAILER = b',"crc":"%08x"}'
_TRAILER_SIZE = len(_TRAILER % 0)
_HEAD = b'{"seq":'
_LINE_FEED, _RETURN = b"\n\r"
_FREE_TEXTS = frozenset({"message", "traceback", "reason"})

_encode = msgspec.json.Encoder().encode
_decoder = msgspec.json.Decoder(AnyEvent)


class Record(NamedTuple):
    """An event with its place in the log of its run."""

    seq: int
    event: Event


def encode_line(seq: int, event: Event) -> bytes:
    """Return the record of `event` as one line, without the line end.

    Raises SerializableError if a name in it cannot be written as UTF-8.
    """
    return seal(encode_record(seq, event))


def encode_record(seq: int, event: Event) -> bytes:
    """Return the record of `event` as one line without a checksum. Raises SerializableError."""
    try:
        body = _encode(event)
    except UnicodeEncodeError:
        body = _encode(_without_surrogates(event))
    if _LINE_FEED in body or _RETURN in body:
        body = msgspec.json.format(body, indent=-1)
    return b'{"seq":%d,' % seq + body[1:]


def decode_line(line: bytes) -> Record:
    """Return the record that `line` (without its line end) holds.

    Raises DamagedRecord if the checksum, the sequence number or a field is wrong.
    """
    unseal(line)
    comma = line.find(b",")
    digits = line[len(_HEAD) : comma]
    if not line.startswith(_HEAD) or not digits.isdigit():
        raise DamagedRecord("it does not begin with its sequence number")
    try:
        return Record(int(digits), _decoder.decode(line))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DamagedRecord(f"it is no event that this version knows ({error})") from None


def seal(line: bytes) -> bytes:
    """Return `line`, a JSON object with at least one field, with its checksum as the last field."""
    return line[:-1] + _TRAILER % crc32(line)


def unseal(line: bytes) -> bytes:
    """Return what `seal` was given. Raises DamagedRecord if the checksum does not fit."""
    bare = line[:-_TRAILER_SIZE] + b"}"
    if line[-_TRAILER_SIZE:] != _TRAILER % crc32(bare):
        raise DamagedRecord("its checksum does not fit its content")
    return bare


def _without_surrogates(event: Event) -> Event:
    changes: dict[str, str] = {}
    for field in event.__struct_fields__:
        text = getattr(event, field)
        if isinstance(text, str) and not _is_unicode(text):
            if field not in _FREE_TEXTS:
                raise SerializableError(f"{text!r} holds a lone surrogate", path=event.path, field=field)
            changes[field] = text.encode("utf-8", "backslashreplace").decode()
    return msgspec.structs.replace(event, **changes)


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
