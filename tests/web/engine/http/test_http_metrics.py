from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from otel_meta.semconv import (
    HTTP_SERVER_ACTIVE_REQUESTS,
    HTTP_SERVER_REQUEST_BODY_SIZE,
    HTTP_SERVER_REQUEST_DURATION,
    HTTP_SERVER_REQUEST_OUTCOMES,
    HTTP_SERVER_RESPONSE_BODY_SIZE,
    HTTP_SERVER_TIME_TO_FIRST_BYTE,
)
from otel_meta.testing import capture
from otel_meta.web.asgi import Receive, Scope, Send
from otel_meta.web.engine.http.http_metrics import HttpMetrics
from otel_meta.web.engine.outcome import Ending
from otel_meta.web.engine.request_labels import RequestLabels
from tests.web.engine.direct_calls import BODY, REQUEST, DirectCalls, sending, started

GET = RequestLabels("GET", "http")
OK = Ending("ok", "")
ENDINGS = st.sampled_from([OK, Ending("server_error", "ValueError"), Ending("cancelled", "")])
REQUESTS = st.tuples(st.sampled_from(["GET", "PUT"]), st.sampled_from(["/a", ""]), ENDINGS)


class TestHttpMetrics:
    @settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
    @given(st.lists(REQUESTS, max_size=12))
    def test_each_request_is_counted_once(self, requests: list[tuple[str, str, Ending]]) -> None:
        """Each request is counted once by its labels, and none stays active."""
        with capture() as captured:
            metrics = HttpMetrics(captured.telemetry.storage)
            for method, route, end in requests:
                labels = RequestLabels(method, "http")
                metrics.begin(labels)
                metrics.leave(labels)
                metrics.end(0.5, labels, route, (200, False), end)

            counts = Counter((method, route, end.error_type) for method, route, end in requests)
            for (method, route, error_type), count in counts.items():
                assert count == captured.value(
                    HTTP_SERVER_REQUEST_DURATION,
                    http_request_method=method,
                    http_route=route,
                    error_type=error_type,
                )
            total = captured.value(HTTP_SERVER_REQUEST_OUTCOMES) or 0
            active = captured.value(HTTP_SERVER_ACTIVE_REQUESTS) or 0

        assert (len(requests), 0) == (total, active)

    def test_labels_follow_conventions(self, direct: DirectCalls) -> None:
        """The sample of a stream without a response has no status, and its error."""
        metrics = HttpMetrics(direct.captured.telemetry.storage)
        metrics.end(0.5, GET, "/a", (0, True), Ending("server_error", "ValueError"))

        assert 1 == direct.captured.value(
            HTTP_SERVER_REQUEST_DURATION,
            http_request_method="GET",
            url_scheme="http",
            http_route="/a",
            http_response_status_code="",
            error_type="ValueError",
            stream="true",
        )


class TestRecordedByEngine:
    def test_stream_has_time_to_first_byte_once(self, direct: DirectCalls) -> None:
        """A stream has the time to its first byte once, another response has none."""
        more = {**BODY, "more_body": True}
        direct.run(sending(started(), more, more, more, BODY))
        direct.run(sending(started(), BODY))

        assert 1 == direct.captured.value(HTTP_SERVER_TIME_TO_FIRST_BYTE)

    def test_events_have_time_of_first_byte_not_of_start(self, direct: DirectCalls) -> None:
        """The time to the first byte is that of the first byte, not that of the headers."""
        times = iter([1.0, 2.0, 5.0, 9.0])
        direct.with_options(clock=lambda: next(times))
        kind = [(b"content-type", b"text/event-stream")]
        empty, more = ({**BODY, "body": body, "more_body": True} for body in (b"", b"a"))
        direct.run(sending(started(200, kind), empty, more, BODY))
        family = direct.captured.telemetry.storage.family(HTTP_SERVER_TIME_TO_FIRST_BYTE)

        assert [4.0] == [cell.snapshot()[1] for cell in family.cells()]

    @pytest.mark.parametrize(
        ("metric", "expected"),
        [(HTTP_SERVER_REQUEST_BODY_SIZE, 1), (HTTP_SERVER_RESPONSE_BODY_SIZE, 1)],
    )
    def test_bodies_have_sizes(self, direct: DirectCalls, metric: Any, expected: int) -> None:
        """The bodies of request and response have sizes."""

        async def app(_scope: Scope, receive: Receive, send: Send) -> None:
            await receive()
            await send(started())
            await send(BODY)

        direct.run(app, {**REQUEST, "body": b"abc"})

        assert expected == direct.captured.value(metric)
