"""Values that a store keeps otherwise than they are, met by who was not told how."""

from msgspec import Raw

from flopod.errors import KEPT_ELSEWHERE, HiddenValue


def check_shown(run_id: str, value: Raw) -> None:
    """Raise HiddenValue if something else stands in the place of a value of the run."""
    for tag in KEPT_ELSEWHERE:
        _check(run_id, value, tag)


def check_sealed(run_id: str, value: Raw) -> None:
    """Raise HiddenValue if a value of the run is encrypted: what is added without a key would not be."""
    _check(run_id, value, "sealed")


def _check(run_id: str, value: Raw, tag: str) -> None:
    if bytes(value).startswith(b'{"$":"%s",' % tag.encode()):
        raise HiddenValue(run_id, KEPT_ELSEWHERE[tag])
