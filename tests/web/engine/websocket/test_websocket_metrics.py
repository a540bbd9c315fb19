from __future__ import annotations

from typing import get_args

import pytest

from otel_meta.semconv import (
    WEBSOCKET_ACTIVE_CONNECTIONS,
    WEBSOCKET_CLOSED_CONNECTIONS,
    WEBSOCKET_CONNECTION_DURATION,
    WEBSOCKET_MESSAGE_DURATION,
    CloseReason,
)
from otel_meta.web.engine.websocket.websocket_metrics import WebSocketMetrics
from tests.web.engine.direct_calls import DirectCalls


@pytest.fixture
def metrics(direct: DirectCalls) -> WebSocketMetrics:
    """The metrics of captured telemetry."""
    return WebSocketMetrics(direct.captured.telemetry.storage)


class TestWebSocketMetrics:
    @pytest.mark.parametrize("reason", get_args(CloseReason))
    def test_connection_is_counted_by_path_and_reason(
        self, direct: DirectCalls, metrics: WebSocketMetrics, reason: CloseReason
    ) -> None:
        """A connection is counted by path and reason, and is not open afterwards."""
        metrics.opened("/a")
        metrics.closed("/a", reason, 2.5)
        value = direct.captured.value

        assert 1 == value(WEBSOCKET_CLOSED_CONNECTIONS, path="/a", reason=reason)
        assert 1 == value(WEBSOCKET_CONNECTION_DURATION, path="/a", reason=reason)
        assert 0 == value(WEBSOCKET_ACTIVE_CONNECTIONS, path="/a")

    def test_refused_connection_has_no_duration(
        self, direct: DirectCalls, metrics: WebSocketMetrics
    ) -> None:
        """A refused connection is counted, was not open and has no duration."""
        metrics.closed("/a", "rejected", None)
        value = direct.captured.value

        assert 1 == value(WEBSOCKET_CLOSED_CONNECTIONS, path="/a", reason="rejected")
        assert not value(WEBSOCKET_CONNECTION_DURATION)
        assert not value(WEBSOCKET_ACTIVE_CONNECTIONS)

    def test_messages_are_counted_by_direction(
        self, direct: DirectCalls, metrics: WebSocketMetrics
    ) -> None:
        """Messages are counted by direction."""
        metrics.sent("/a", 0.1)
        metrics.received("/a", 0.1)
        metrics.received("/a", 0.1)

        assert [1, 2] == [
            direct.captured.value(WEBSOCKET_MESSAGE_DURATION, path="/a", direction=direction)
            for direction in ("sent", "received")
        ]
