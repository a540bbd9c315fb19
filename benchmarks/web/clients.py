"""Clients that keep their connections, each with one request at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator

from .application import paths

_REQUEST = (
    "GET {path} HTTP/1.1\r\nhost: shop.example.com\r\naccept: application/json\r\n"
    "user-agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n\r\n"
)
_LENGTH = b"content-length: "


def load(port: int, clients: int, routes: int, requests: int) -> None:
    """Send requests by several clients at once.

    Raises:
        AssertionError: a response is no success.
    """
    asyncio.run(_load(port, clients, paths(routes, requests)))


async def _load(port: int, clients: int, paths: Iterable[str]) -> None:
    left = iter(paths)
    await asyncio.gather(*(_client(port, left) for _ in range(clients)))


async def _client(port: int, left: Iterator[str]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for path in left:
        writer.write(_REQUEST.format(path=path).encode())
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200 "):
            raise AssertionError(f"{path}: {head!r}")
        length = head.lower().partition(_LENGTH)[2].partition(b"\r\n")[0]
        await reader.readexactly(int(length))
    writer.close()
    await writer.wait_closed()
