"""A TCP proxy before a server, which can cut a connection between a statement and its answer."""

import contextlib
import socket
import threading

_WAIT = 30


class Proxy:
    """Forwards connections to `port`; `cut_after(text)` loses the answer to a statement once.

    The next time `text` is in what a client sends, that is forwarded, and as soon as the server has answered,
    the connection is cut without the answer. With `before` it is cut without forwarding.
    """

    def __init__(self, port: int) -> None:
        self._to = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.cuts = 0
        self._text: bytes | None = None
        self._before = False
        self._clients: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def cut_after(self, text: bytes, *, before: bool = False) -> None:
        """Cut the connection over which `text` is sent next."""
        self._text, self._before = text, before

    def cut_all(self) -> None:
        """Cut every connection now, whatever the server is doing for it."""
        for client in self._clients:
            _shut(client)

    def close(self) -> None:
        """Take no more connections."""
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self._clients.append(client)
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with (
            client,
            contextlib.suppress(ConnectionRefusedError),  # the server may be stopped
            socket.create_connection(("127.0.0.1", self._to)) as server,
        ):
            doomed = threading.Event()
            back = threading.Thread(target=self._answer, args=(server, client, doomed), daemon=True)
            back.start()
            with contextlib.suppress(OSError):
                while data := client.recv(1 << 20):
                    if self._text is not None and self._text in data:
                        self._text = None
                        self.cuts += 1
                        if self._before:
                            break
                        doomed.set()
                    server.sendall(data)
            _shut(server)
            _shut(client)
            back.join(_WAIT)

    def _answer(self, server: socket.socket, client: socket.socket, doomed: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while data := server.recv(1 << 20):
                if doomed.is_set():
                    break
                client.sendall(data)
        _shut(client)
        _shut(server)


def _shut(side: socket.socket) -> None:
    with contextlib.suppress(OSError):
        side.shutdown(socket.SHUT_RDWR)
