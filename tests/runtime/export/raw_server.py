"""A server on loopback that answers each request over HTTP with given bytes."""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, Self

Answer = bytes | Callable[[socket.socket], None]
"""Bytes, after which the connection stays open, or a function that writes to the connection."""


def http(status: str, body: bytes = b"", **headers: str) -> bytes:
    """Return an answer with a body and headers, whose names have underscores."""
    lines = [f"HTTP/1.1 {status}", f"content-length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


class RawServer:
    """Listens while the context is open, and keeps the bytes of all requests.

    Args:
        answers: the answers in order; the last is for all further requests.
        certificate: a file with a key and a certificate for TLS.
    """

    def __init__(self, *answers: Answer, certificate: Path | None = None) -> None:
        self.answers = list(answers)
        self.requests: Final[list[bytes]] = []
        self.connections = 0
        self._socket: Final = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: Final[int] = self._socket.getsockname()[1]
        self._tls: Final = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        if certificate is not None:
            self._tls.load_cert_chain(certificate)
        self._has_tls: Final = certificate is not None
        self.url: Final = f"{'https' if self._has_tls else 'http'}://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                self.connections += 1
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, accepted: socket.socket) -> None:
        with contextlib.suppress(OSError), accepted, self._secured(accepted) as connection:
            for request in _requests(connection):
                self.requests.append(request)
                answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
                if isinstance(answer, bytes):
                    connection.sendall(answer)
                else:
                    answer(connection)

    def _secured(self, accepted: socket.socket) -> socket.socket:
        return self._tls.wrap_socket(accepted, server_side=True) if self._has_tls else accepted


def _requests(connection: socket.socket) -> Iterator[bytes]:
    received = b""
    while True:
        head, end, body = received.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: (\d+)", head)
        size = int(length[1]) if length else 0
        if end and len(body) >= size:
            yield received[: len(head) + 4 + size]
            received = body[size:]
            continue
        more = connection.recv(65536)
        if not more:
            return
        received += more
