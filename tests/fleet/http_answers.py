"""Bodies and bytes of a server that answers queries, well or badly."""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

from tests.runtime.export.raw_server import Answer


def answer(result: list[Any], kind: str = "vector", **more: Any) -> bytes:
    """Return the body of a successful query."""
    data = {"resultType": kind, "result": result}
    return json.dumps({"status": "success", "data": data, **more}).encode()


def refusal(text: str) -> bytes:
    """Return the body of a refused query."""
    return json.dumps({"status": "error", "errorType": "x", "error": text}).encode()


def closing(raw: bytes) -> Answer:
    """Return an answer after which the server closes the connection."""

    def say(connection: socket.socket) -> None:
        connection.sendall(raw)
        connection.shutdown(socket.SHUT_RDWR)

    return say


def trickling(connection: socket.socket) -> None:
    """Answer one byte after another, without an end."""
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    connection.settimeout(0.05)
    while True:
        connection.sendall(b" ")
        try:
            if not connection.recv(1):
                return
        except TimeoutError:
            continue


def head_of(request: bytes) -> list[str]:
    """Return the lines of the head of a request; names of headers are in lower case."""
    first, *headers = request.partition(b"\r\n\r\n")[0].decode().splitlines()
    pairs = (line.partition(": ") for line in headers)
    return [first, *(f"{name.lower()}: {value}" for name, _, value in pairs)]


def form_of(request: bytes) -> Mapping[str, str]:
    """Return the fields of a request."""
    fields = parse_qs(request.partition(b"\r\n\r\n")[2].decode())
    return {name: values[0] for name, values in fields.items()}
