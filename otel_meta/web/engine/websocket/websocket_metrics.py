"""The metrics of WebSocket connections."""

from __future__ import annotations

from typing import Any, Final

from otel_meta.runtime.recording.storage import MetricStorage
from otel_meta.semconv import (
    WEBSOCKET_ACTIVE_CONNECTIONS,
    WEBSOCKET_CLOSED_CONNECTIONS,
    WEBSOCKET_CONNECTION_DURATION,
    WEBSOCKET_MESSAGE_DURATION,
    CloseReason,
)


class WebSocketMetrics:
    """Records the metrics of connections."""

    def __init__(self, storage: MetricStorage) -> None:
        recorder: Any = storage.recorder
        self._active: Final = recorder(WEBSOCKET_ACTIVE_CONNECTIONS)
        self._closed: Final = recorder(WEBSOCKET_CLOSED_CONNECTIONS)
        self._duration: Final = recorder(WEBSOCKET_CONNECTION_DURATION)
        self._message: Final = recorder(WEBSOCKET_MESSAGE_DURATION)

    def opened(self, path: str) -> None:
        """Count an open connection."""
        self._active.add(1, path=path)

    def closed(self, path: str, reason: CloseReason, seconds: float | None) -> None:
        """Record the end of a connection; ``seconds`` is None if the handshake was not accepted."""
        self._closed.add(1, path=path, reason=reason)
        if seconds is not None:
            self._active.add(-1, path=path)
            self._duration.record(seconds, path=path, reason=reason)

    def received(self, path: str, seconds: float) -> None:
        """Record the time from a message to the next call of ``receive``."""
        self._message.record(seconds, path=path, direction="received")

    def sent(self, path: str, seconds: float) -> None:
        """Record the time that the server needed to take a message."""
        self._message.record(seconds, path=path, direction="sent")
