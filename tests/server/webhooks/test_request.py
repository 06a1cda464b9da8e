"""One post, to a real receiver that behaves as badly as it can."""

import asyncio
import http.server
import socket
import time
from typing import Any

import pytest

from flopod.server.webhooks import request
from flopod.server.webhooks.addresses import Target, target_of
from flopod.server.webhooks.request import Answer, post
from flopod.server.webhooks.signature import headers, keys_of, made_of
from tests.server.webhooks.receiver import Receiver

pytestmark = pytest.mark.process

SECRET = made_of(b"s" * 32)


def send(url: str, *, private: bool = True, seconds: float = 5) -> Answer:
    said = headers(keys_of([SECRET]), "msg_1", 1700000000, b'{"a":1}')
    return asyncio.run(post(target_of(url, private=True), said, b'{"a":1}', private=private, seconds=seconds))


def test_a_post_arrives_signed(receiver: Receiver) -> None:
    """As the specification says it is verified; not by another secret."""
    assert send(receiver.url) == Answer(204, "204 No Content")
    got = receiver.got[0]
    assert (got.path, got.body) == ("/hooks?a=1", b'{"a":1}')
    assert (got.headers["webhook-id"], got.headers["webhook-timestamp"]) == ("msg_1", "1700000000")
    assert got.headers["host"] == f"127.0.0.1:{receiver.port}"
    assert got.is_signed_by(SECRET)
    assert not got.is_signed_by(made_of(b"t" * 32))


def test_the_example_of_the_specification_verifies() -> None:
    """Its figures, not ours."""
    said = headers(
        keys_of(["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]),
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1614265330,
        b'{"test": 2432232314}',
    )
    assert said["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_two_secrets_sign_side_by_side(receiver: Receiver) -> None:
    """While a receiver changes from one to the other."""
    other = made_of(b"o" * 32)
    said = headers(keys_of([SECRET, other]), "msg_1", 1, b"{}")
    asyncio.run(post(target_of(receiver.url, private=True), said, b"{}", private=True))
    assert receiver.got[0].is_signed_by(SECRET)
    assert receiver.got[0].is_signed_by(other)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(receiver: Receiver, status: int) -> None:
    """They would lead to where nobody has looked."""
    elsewhere = Receiver()

    def redirect(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        handler.send_header("location", elsewhere.url)
        handler.send_header("content-length", "0")
        handler.end_headers()

    receiver.answers = [redirect]
    answer = send(receiver.url)
    assert (answer.status, answer.is_delivered, elsewhere.got) == (status, False, [])
    assert "redirects are not followed" in answer.reason
    elsewhere.close()


def test_a_name_is_resolved_once_and_connected_to_as_found(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second look-up, which could say something else, does not happen."""
    asked: list[str] = []
    real = socket.getaddrinfo

    def look_up(host: Any, *args: Any, **options: Any) -> Any:
        asked.append(host)
        return real("127.0.0.1" if host == "turned.example" else host, *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    url = f"http://turned.example:{receiver.port}/"
    assert send(url).is_delivered
    assert asked.count("turned.example") == 1
    assert receiver.got[0].headers["host"] == f"turned.example:{receiver.port}"
    answer = send(url, private=False)
    assert (answer.status, len(receiver.got)) == (0, 1)
    assert "no public address" in answer.reason


def test_the_deadline_is_one_for_all(receiver: Receiver) -> None:
    """A receiver that drips its head, byte by byte, is given up."""

    def drip(handler: http.server.BaseHTTPRequestHandler) -> None:
        for byte in b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 500:
            handler.wfile.write(bytes([byte]))
            handler.wfile.flush()
            time.sleep(0.05)

    receiver.answers = [drip]
    began = time.monotonic()
    assert send(receiver.url, seconds=0.6) == Answer(0, "no answer within 0.6 s")
    assert time.monotonic() - began < 2


def test_a_long_answer_is_not_read(receiver: Receiver) -> None:
    """It was taken; what else is said does not matter, nor when."""

    def talk(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        for _ in range(100_000):
            handler.wfile.write(b"x" * 10_000)

    def pause(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("content-length", "10")
        handler.end_headers()
        handler.wfile.flush()
        time.sleep(20)

    receiver.answers = [talk, pause]
    began = time.monotonic()
    assert send(receiver.url).is_delivered
    assert send(receiver.url).is_delivered
    assert time.monotonic() - began < 4


@pytest.mark.parametrize(
    "raw", [b"", b"garbage\r\n\r\n", b"HTTP/1.1 2", b"HTTP/1.1 200 OK\r\nA: " + b"x" * 99999]
)
def test_what_is_no_answer_is_told(receiver: Receiver, raw: bytes) -> None:
    """And tried again later."""

    def answer(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.wfile.write(raw)
        handler.close_connection = True

    receiver.answers = [answer]
    assert send(receiver.url).status == 0


def test_nobody_there_is_told() -> None:
    """With what the system says."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    answer = send(f"http://127.0.0.1:{port}/")
    assert answer.status == 0
    assert "ConnectionRefusedError" in answer.reason


def test_a_server_without_tls_is_no_https_server(receiver: Receiver) -> None:
    """Certificates are checked by the name."""
    answer = asyncio.run(
        post(Target("https", "127.0.0.1", receiver.port, "/"), {}, b"", private=True, seconds=5)
    )
    assert (answer.status, receiver.got) == (0, [])
    assert request._tls().check_hostname


@pytest.mark.parametrize(
    ("said", "least", "most"),
    [("7", 7000, 7000), ("x", 0, 0), ("Wed, 21 Oct 2015 07:28:00 GMT", 0, 0), ("9" * 50, 0, 0)],
)
def test_a_receiver_may_ask_for_time(receiver: Receiver, said: str, least: int, most: int) -> None:
    """In seconds or as a date."""

    def busy(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.send_response(503)
        handler.send_header("retry-after", said)
        handler.send_header("content-length", "0")
        handler.end_headers()

    receiver.answers = [busy]
    assert least <= send(receiver.url).wait <= most
