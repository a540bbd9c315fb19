"""ASGI in a few types, so that nothing here needs a framework."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Header = tuple[bytes, bytes]


def header(scope: Scope, name: bytes) -> str:
    """The first value of a request header, given in lower case; "" if there is none."""
    found: Iterable[bytes] = (value for key, value in scope["headers"] if key.lower() == name)
    return next(iter(found), b"").decode("latin-1")


def path_of(scope: Scope) -> str:
    """The path within the application, without the prefix that it is served under."""
    path: str = scope["path"]
    prefix: str = scope.get("root_path", "").rstrip("/")
    return path.removeprefix(prefix) if path.startswith(f"{prefix}/") else path
