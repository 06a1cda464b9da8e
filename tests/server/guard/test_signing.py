"""Signed texts, and the secret that all processes of a store share."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flopod.backends import MemoryBackend, SqliteBackend
from flopod.backends.lock import Hold
from flopod.errors import BadInput
from flopod.server.signing import BadSignature, Expired, secret, sign, verify

KEY = b"k" * 32


@given(st.binary(max_size=300), st.none() | st.integers(1, 2**60))
def test_what_was_signed_comes_back(payload: bytes, expires: int | None) -> None:
    """As it was, in characters that stand in a URL as they are."""
    token = sign(KEY, "links", payload, expires)
    assert verify(KEY, "links", token, now=0) == payload
    assert set(token) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


@given(st.binary(max_size=40), st.data())
def test_no_character_of_it_can_be_changed(payload: bytes, data: st.DataObject) -> None:
    """Not the last one either, of which base64 passes over some bits."""
    token = sign(KEY, "links", payload, 5)
    place = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.sampled_from("ABCDWXYZabcdwxyz0189-_=+/ .").filter(lambda c: c != token[place]))
    for changed in (token[:place] + other + token[place + 1 :], token[:place], token + other):
        with pytest.raises(BadSignature):
            verify(KEY, "links", changed, now=0)


def test_a_purpose_is_no_other() -> None:
    """Nor is another secret."""
    token = sign(KEY, "links", b"x")
    for key, purpose in ((KEY, "session"), (KEY, "link"), (b"j" * 32, "links")):
        with pytest.raises(BadSignature):
            verify(key, purpose, token)


@pytest.mark.parametrize("token", ["", "x", "=", "é" * 60, "A" * 53, "A" * 100_000, "../../etc"])
def test_what_is_no_signed_text_is_refused(token: str) -> None:
    """Whatever it is."""
    with pytest.raises(BadSignature):
        verify(KEY, "links", token)


def test_time_runs_out() -> None:
    """At the millisecond; a text that is forged is not told when."""
    token = sign(KEY, "links", b"x", 1000)
    assert verify(KEY, "links", token, now=999) == b"x"
    with pytest.raises(Expired) as caught:
        verify(KEY, "links", token, now=1000)
    assert caught.value.at == 1000


def test_a_secret_is_given_or_kept() -> None:
    """What is given is long enough to be one."""
    store = MemoryBackend()
    kept = secret(store, {})
    assert (len(kept), secret(store, {})) == (32, kept)
    assert secret(store, {"FLOPOD_SECRET": "x" * 16}) == b"x" * 16
    with pytest.raises(BadInput, match="15 characters"):
        secret(store, {"FLOPOD_SECRET": "x" * 15})


def test_who_comes_second_takes_what_the_first_has_made() -> None:
    """Also if that was made while it waited for its turn."""

    class Late(MemoryBackend):
        def hold(self, run_id: str) -> Hold:
            self.keep("secret", "server", b"of the other")
            return super().hold(run_id)

    assert secret(Late(), {}) == b"of the other"


@pytest.mark.process
def test_processes_that_begin_at_once_have_one_secret(tmp_path: Path) -> None:
    """Whichever of them makes it."""
    program = (
        "import sys; from pathlib import Path; from flopod.backends import SqliteBackend; "
        "from flopod.server.signing import secret; sys.stdin.read(); "
        "print(secret(SqliteBackend(Path(sys.argv[1])), {}).hex())"
    )
    place = tmp_path / "flopod.db"
    begun = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(place)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    found = {each.communicate("", timeout=60)[0].strip() for each in begun}
    assert found == {secret(SqliteBackend(place), {}).hex()}
