"""Threats that only show on the wire: a real server process, raw sockets."""

import concurrent.futures
import contextlib
import json
import signal
import socket
import time

import pytest

from tests.server.guard.wired import ASK, LARGE, Served, closed_after, read, served, status_of

pytestmark = pytest.mark.process

POST = b"POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"


def test_a_head_that_drips_is_cut_off_while_others_are_served() -> None:
    """At a time after its first byte, which no later byte puts off."""
    with served(header_seconds=1.0) as server:
        slow = [server.connect() for _ in range(50)]
        for sock in slow:
            sock.sendall(b"GET /x HTTP/1.1\r\nHost: localhost\r\nX-Drip: ")
        began = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(50) as pool:
            closing = [pool.submit(closed_after, sock, b"a", 0.1, 8) for sock in slow]
            while time.monotonic() - began < 0.8:
                assert status_of(server.ask()) == 200
            took = [each.result() for each in closing]
        assert 0.5 < min(took) <= max(took) < 3
        for sock in slow:
            sock.close()


def test_the_second_head_of_a_connection_has_its_deadline_too() -> None:
    """And a connection that says nothing at all."""
    with (
        served(header_seconds=0.7, idle_seconds=5) as server,
        server.connect() as sock,
        server.connect() as mute,
    ):
        sock.sendall(ASK)
        assert status_of(read(sock)) == 200
        assert closed_after(sock, b"G", 0.1, 8) < 3
        assert mute.recv(1) == b""


def test_an_idle_connection_is_closed() -> None:
    """After it was served."""
    with served(idle_seconds=1, header_seconds=9) as server, server.connect() as sock:
        sock.sendall(ASK)
        assert status_of(read(sock)) == 200
        began = time.monotonic()
        assert sock.recv(1) == b""
        assert 0.5 < time.monotonic() - began < 4


def test_a_body_that_drips_is_told_so() -> None:
    """At a time after its head."""
    with served(body_seconds=0.7) as server, server.connect() as sock:
        sock.sendall(POST + b"Content-Length: 1000\r\n\r\n")
        began = time.monotonic()
        sock.settimeout(0.1)
        found = b""
        while not found and time.monotonic() - began < 8:
            sock.sendall(b"1")
            try:
                found = sock.recv(4096)
            except TimeoutError:
                continue
        assert status_of(found) == 408
        assert time.monotonic() - began < 3


@pytest.mark.parametrize("head", [b"Content-Length: 3000000\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n"])
def test_a_client_that_still_sends_learns_that_it_is_too_much(head: bytes) -> None:
    """The answer is not lost to a reset of the connection."""
    with served(max_body=10_000) as server:
        for _ in range(5):
            with server.connect() as sock:
                sock.sendall(POST + head)
                piece = b"x" * 50_000 if b"Length" in head else b"c350\r\n" + b"x" * 50_000 + b"\r\n"
                for _ in range(60):
                    sock.sendall(piece)
                assert status_of(read(sock)) == 413


def test_a_body_does_not_come_in_crumbs() -> None:
    """A million chunks of a byte would keep the server busy for half a minute; chunks as usual do not."""
    with served() as server, server.connect() as sock:
        head = POST + b"Transfer-Encoding: chunked\r\n\r\n"
        with contextlib.suppress(ConnectionError):
            sock.sendall(head + b"1\r\n1\r\n" * 1_000_000)
        assert status_of(read(sock)) in (0, 400)
        assert server.seconds() < 5
        assert (
            status_of(
                server.ask(
                    head + b"64\r\n" + (b"1" * 100 + b"\r\n64\r\n") * 5000 + b"1" * 100 + b"\r\n0\r\n\r\n"
                )
            )
            == 200
        )
        assert status_of(server.ask(head + b"1\r\n1\r\n" * 1000 + b"0\r\n\r\n")) == 200


def test_expecting_clients_are_told_before_they_send() -> None:
    """That a body is too long, or to go on."""
    with served(max_body=100) as server:
        expect = POST + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n"
        assert server.ask(expect % 101).startswith(b"HTTP/1.1 413 ")
        with server.connect() as sock:
            sock.sendall(expect % 2)
            assert sock.recv(100).startswith(b"HTTP/1.1 100 ")
            sock.sendall(b"{}")
            assert status_of(read(sock)) == 200


def test_large_heads_are_refused() -> None:
    """One without an end, and one with."""
    with served(max_head=4096) as server:
        endless = server.ask(b"GET /x HTTP/1.1\r\nHost: localhost\r\nX-Long: " + b"a" * 5000)
        many = server.ask(b"GET /x HTTP/1.1\r\nHost: localhost\r\n" + b"A: b\r\n" * 200 + b"\r\n")
        assert (status_of(endless), status_of(many)) == (400, 431)


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"Content-Length: 4\r\nContent-Length: 5\r\n\r\n",
        b"Transfer-Encoding: xchunked\r\n\r\n",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"Transfer-Encoding : chunked\r\n\r\n",
        b"Content-Length: +4\r\n\r\n",
        b"Content-Length: 4\r\n X: folded\r\n\r\n",
    ],
)
def test_nothing_is_smuggled_behind_a_request(head: bytes) -> None:
    """What has two ends is refused, and the rest of its connection is not read as requests."""
    with served() as server:
        inner = b"0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"
        with server.connect() as sock:
            sock.sendall(POST + head + inner)
            sock.settimeout(5)
            found = b""
            while piece := _received(sock):
                found += piece
        assert 400 <= status_of(found) < 502
        assert found.count(b"HTTP/1.1 ") == 1
        assert "/smuggled" not in server.end()[1]


def _received(sock: socket.socket) -> bytes:
    try:
        return sock.recv(65536)
    except ConnectionResetError:
        return b""


def test_requests_on_one_connection_are_answered_in_order() -> None:
    """Sent at once, too."""
    with served() as server, server.connect() as sock:
        one = POST + b"Content-Length: 3\r\n\r\n%s"
        sock.sendall(b"".join(one % text for text in (b"111", b"222", b"333")))
        found = b""
        while found.count(b"HTTP/1.1 200") < 3 or not found.endswith(b"333"):
            found += sock.recv(65536)
        assert found.index(b"111") < found.index(b"222") < found.index(b"333")


def test_one_connection_too_many_is_told_so() -> None:
    """At once, and room is made when another one ends."""
    with served(max_connections=3) as server:
        held = [server.connect() for _ in range(3)]
        for sock in held:
            sock.sendall(ASK)
            assert status_of(read(sock)) == 200
        with server.connect() as late:
            assert status_of(read(late)) == 503
        held.pop().close()
        time.sleep(0.2)
        assert status_of(server.ask()) == 200
        for sock in held:
            sock.close()


def test_a_client_that_reads_nothing_is_cut_off() -> None:
    """What is written for it does not stay for ever."""
    with served(write_seconds=0.5) as server, server.connect() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.sendall(b"GET /flood HTTP/1.1\r\nHost: localhost\r\n\r\n")
        time.sleep(2)
        size = 0
        while piece := _received(sock):
            size += len(piece)
        assert size < 100_000_000


def test_what_nobody_reads_is_bounded() -> None:
    """Of all connections together: who has not read for the longest is cut off."""
    with served(max_unread=3 * LARGE, write_seconds=30) as server:
        held = [server.connect() for _ in range(6)]
        for sock in held:
            sock.sendall(b"GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n")
            time.sleep(0.3)
        sizes = []
        for sock in held:
            sizes.append(0)
            while sizes[-1] < LARGE and (piece := _received(sock)):
                sizes[-1] += len(piece)
            sock.close()
        assert max(sizes[:2]) < LARGE <= min(sizes[-2:])


def test_a_client_that_leaves_a_rest_unread_is_cut_off() -> None:
    """However little of it is left for the server to write: a connection that is closed ends."""
    with served(write_seconds=0.5, idle_seconds=0.5, header_seconds=1.0) as server:
        before = server.descriptors()
        held = [server.connect() for _ in range(100)]
        for amount, sock in enumerate(held):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            sock.sendall(b"GET /page HTTP/1.1\r\nHost: localhost\r\n\r\n" * amount)
        end = time.monotonic() + 10
        while server.descriptors() > before and time.monotonic() < end:
            time.sleep(0.1)
        assert server.descriptors() == before
        for sock in held:
            sock.close()


def test_a_turned_name_is_refused_on_the_wire() -> None:
    """As a page does it whose DNS was turned."""
    with served() as server:
        assert status_of(server.ask(b"GET /x HTTP/1.1\r\nHost: evil.example:%d\r\n\r\n" % server.port)) == 421
        assert status_of(server.ask(b"GET /x HTTP/1.1\r\n\r\n")) == 400
        twice = b"GET /x HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n"
        assert status_of(server.ask(twice)) == 400
        absolute = b"GET http://evil.example/x HTTP/1.1\r\nHost: localhost\r\n\r\n"
        assert status_of(server.ask(absolute)) == 400


def test_there_are_no_web_sockets() -> None:
    """An upgrade is a request like any other."""
    with served() as server:
        more = b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        assert status_of(server.ask(b"GET /x HTTP/1.1\r\nHost: localhost\r\n" + more + b"\r\n")) == 200


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_streams_end_by_themselves_when_the_server_stops(number: int, status: int) -> None:
    """At once, with their last words, and without a traceback in the log."""
    server = Served()
    with server.connect() as sock:
        sock.sendall(b"GET /stream HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n")
        found = b""
        while b"data: 1" not in found:
            found += sock.recv(4096)
        began = time.monotonic()
        found_status, log = server.end(number)
        rest = b""
        while piece := _received(sock):
            rest += piece
    assert (found_status, b"data: bye" in rest) == (status, True)
    assert time.monotonic() - began < 2
    assert "Traceback" not in log


def test_a_stream_that_does_not_stop_is_cut_off() -> None:
    """After the time that a shutdown may take; quietly."""
    server = Served(shutdown_seconds=1.0)
    with server.connect() as sock:
        sock.sendall(b"GET /deaf HTTP/1.1\r\nHost: localhost\r\n\r\n")
        while b"data: 1" not in sock.recv(4096):
            pass
        began = time.monotonic()
        status, log = server.end()
    assert (status, "Traceback" in log) == (143, False), log
    assert time.monotonic() - began < 5


def test_the_log_has_no_secrets() -> None:
    """No query, no token, no cookie; one object a line."""
    server = Served()
    secrets = b"Authorization: Bearer s3cret-token\r\nCookie: flopod_session=s3cret-cookie\r\n"
    server.ask(b"GET /x?key=s3cret-query HTTP/1.1\r\nHost: localhost\r\n" + secrets + b"\r\n")
    server.ask(b"GET /deliver/s3cret-link HTTP/1.1\r\nHost: localhost\r\n\r\n")
    server.ask(b"GET /broken HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: id-1\r\n" + secrets + b"\r\n")
    _, log = server.end()
    assert "s3cret" not in log
    lines = [json.loads(line) for line in log.splitlines()]
    assert [line.get("path") for line in lines] == ["/x", "/deliver/***", "/broken", "/broken"]
    assert "ValueError: internals" in lines[2]["exception"]
    assert (lines[3]["status"], lines[3]["request_id"]) == (500, "id-1")
