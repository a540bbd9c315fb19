"""Requests to a service, as fast as it answers, and what became of each."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException

_REQUEST = b"GET %s HTTP/1.1\r\nhost: localhost\r\n\r\n"
_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


@dataclass
class Load:
    """So many requests for a path, over several connections.

    A request that gets no answer is not sent again: whether it was answered is not known.
    """

    port: int
    wanted: int
    path: str = "/tile"
    connections: int = 8
    sent: int = 0
    completed: int = 0
    halfway: Callable[[], object] = field(default=lambda: None)

    def run(self) -> None:
        """Send them all."""
        asyncio.run(self._all())

    async def _all(self) -> None:
        await asyncio.gather(*(self._connection() for _ in range(self.connections)))

    async def _connection(self) -> None:
        while self.sent < self.wanted:
            with suppress(OSError, asyncio.IncompleteReadError):
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
                try:
                    while self.sent < self.wanted:
                        await self._request(reader, writer)
                finally:
                    writer.close()

    async def _request(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.sent += 1
        if self.sent == self.wanted // 2:
            self.halfway()
        writer.write(_REQUEST % self.path.encode())
        # uvicorn answers in two packets, and several workers wait for the first to be acknowledged.
        connection = writer.get_extra_info("socket")
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        head = await reader.readuntil(b"\r\n\r\n")
        length = _LENGTH.search(head)
        assert length is not None, head
        await reader.readexactly(int(length[1]))
        assert head.startswith(b"HTTP/1.1 200"), head
        self.completed += 1


def sample(page: str, name: str, **labels: str) -> float | None:
    """What the series that have these labels show together; None where there is none."""
    found = [
        float(value)
        for sample_name, body, value in re.findall(r"^(\w+)\{(.*)\} (\S+)$", page, re.MULTILINE)
        if sample_name == name
        and all(f'{label}="{wanted}"' in body for label, wanted in labels.items())
    ]
    return sum(found) if found else None


def scrape(port: int, path: str = "/metrics") -> str:
    """The page of whichever worker answers; a new connection each time."""
    for _ in range(20):
        with suppress(OSError, HTTPException):  # the worker that took it was killed
            return _page(port, path)
    raise AssertionError(f"nobody answers on {port}")


def _page(port: int, path: str) -> str:
    with closing(HTTPConnection("127.0.0.1", port, timeout=20)) as connection:
        connection.request("GET", path)
        answer = connection.getresponse()
        assert answer.status == 200, answer.read()
        return answer.read().decode()
