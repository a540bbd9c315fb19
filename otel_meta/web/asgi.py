"""Types of ASGI and readers of the scope, without a framework."""

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
    """Return the first value of a request header.

    Args:
        scope: of an HTTP request or a WebSocket.
        name: in lower case.

    Returns:
        The value, or "" if the header is missing.
    """
    found: Iterable[bytes] = (value for key, value in scope["headers"] if key.lower() == name)
    return next(iter(found), b"").decode("latin-1")


def path_of(scope: Scope) -> str:
    """Return the request path without ``root_path``, the prefix of the application."""
    path: str = scope["path"]
    prefix: str = scope.get("root_path", "").rstrip("/")
    return path.removeprefix(prefix) if path.startswith(f"{prefix}/") else path
