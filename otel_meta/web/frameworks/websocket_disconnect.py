"""The exception by which Starlette tells a handler that a WebSocket is closed."""

from __future__ import annotations

from typing import Final

_NAME: Final = "WebSocketDisconnect"


def is_websocket_disconnect(error: BaseException) -> bool:
    """Return True if an exception says no more than that the connection is closed."""
    return any(kind.__name__ == _NAME for kind in type(error).__mro__)
