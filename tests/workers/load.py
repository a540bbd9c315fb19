"""Load on a service over several connections, and readers of its metrics page."""

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
    """Sends a number of requests, each connection one after the other.

    A request without an answer is not sent again, because the worker may have counted it.
    """

    port: int
    wanted: int
    path: str = "/tile"
    connections: int = 8
    sent: int = 0
    completed: int = 0
    halfway: Callable[[], object] = field(default=lambda: None)

    def run(self) -> None:
        """Send all requests."""
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
        # uvicorn answers in two packets, and delays the second until the first is acknowledged.
        connection = writer.get_extra_info("socket")
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        head = await reader.readuntil(b"\r\n\r\n")
        length = _LENGTH.search(head)
        assert length is not None, head
        await reader.readexactly(int(length[1]))
        assert head.startswith(b"HTTP/1.1 200"), head
        self.completed += 1


def sample(page: str, name: str, **labels: str) -> float | None:
    """Return the sum of all series with some labels; None if there is no such series."""
    found = [
        float(number)
        for sample_name, body, number in re.findall(r"^(\w+)\{(.*)\} (\S+)$", page, re.MULTILINE)
        if sample_name == name
        and all(f'{label}="{value}"' in body for label, value in labels.items())
    ]
    return sum(found) if found else None


def scrape(port: int, path: str = "/metrics") -> str:
    """Fetch a page by a new connection, from any worker."""
    for _ in range(20):
        with suppress(OSError, HTTPException):  # the worker was killed during the request
            return _page(port, path)
    raise AssertionError(f"no worker answers on port {port}")


def _page(port: int, path: str) -> str:
    with closing(HTTPConnection("127.0.0.1", port, timeout=20)) as connection:
        connection.request("GET", path)
        response = connection.getresponse()
        assert response.status == 200, response.read()
        return response.read().decode()
