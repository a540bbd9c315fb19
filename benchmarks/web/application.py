"""The measured application, and requests for it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, MutableMapping
from itertools import cycle, islice
from typing import Any, Final

from fastapi import FastAPI

_HEADERS: Final = (
    (b"host", b"shop.example.com"),
    (b"user-agent", b"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
    (b"accept", b"application/json"),
    (b"accept-encoding", b"gzip, deflate, br"),
    (b"accept-language", b"en-GB,en;q=0.5"),
)
_OK: Final = 200


def application(routes: int, **options: Any) -> FastAPI:
    """Return an application with this number of routes, each with a parameter."""
    app = FastAPI(**options)
    for number in range(routes):
        app.get(f"/shelf{number}/{{item}}")(_show)
    return app


async def _show(item: int) -> dict[str, int]:
    return {"item": item}


def paths(routes: int, requests: int) -> Iterable[str]:
    """Return the paths of requests, spread evenly over the routes."""
    return islice(cycle(f"/shelf{number}/7" for number in range(routes)), requests)


async def request_all(app: FastAPI, paths: Iterable[str]) -> None:
    """Send requests one after the other, as a server does."""
    for path in paths:
        await _request(app, path)


class _Cycle:
    """Receives and sends messages, and has the attribute by which uvicorn notes a disconnect."""

    disconnected = False

    def __init__(self, path: str) -> None:
        self._path: Final = path
        self._is_received = False

    async def receive(self) -> MutableMapping[str, Any]:
        if self._is_received:
            return await asyncio.Future()  # the client stays connected
        self._is_received = True
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(self, message: Mapping[str, Any]) -> None:
        if message.get("status", _OK) != _OK:
            raise AssertionError(f"{self._path}: {message}")


async def _request(app: FastAPI, path: str) -> None:
    cycle = _Cycle(path)
    await app(_scope(path), cycle.receive, cycle.send)


def _scope(path: str) -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": list(_HEADERS),
        "client": ("203.0.113.7", 40_000),
        "server": ("10.0.0.1", 8000),
        "state": {},
    }
