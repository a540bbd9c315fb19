"""The standard HTTP server metrics, recorded in one place for every engine."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final, NamedTuple

from otel_meta.model.live import LiveCounter, LiveHistogram, LiveUpDownCounter
from otel_meta.runtime.recording.storage import MetricStorage
from otel_meta.semconv import (
    HTTP_SERVER_ACTIVE_REQUESTS,
    HTTP_SERVER_REQUEST_BODY_SIZE,
    HTTP_SERVER_REQUEST_DURATION,
    HTTP_SERVER_REQUEST_OUTCOMES,
    HTTP_SERVER_RESPONSE_BODY_SIZE,
    HTTP_SERVER_TIME_TO_FIRST_BYTE,
)
from otel_meta.web.engine.outcome import Ending
from otel_meta.web.engine.request_labels import RequestLabels

_MAX_HANDLES: Final = 1_000
"""Combinations of labels whose handles are kept: a handle records three times as fast."""


class _Handles(NamedTuple):
    """Series that a request with certain labels adds to."""

    duration: LiveHistogram[[]]
    outcomes: LiveCounter[[]]


class HttpMetrics:
    """Records the metrics of requests."""

    def __init__(self, storage: MetricStorage) -> None:
        recorder: Any = storage.recorder
        self._active: Final = recorder(HTTP_SERVER_ACTIVE_REQUESTS)
        self._duration: Final = recorder(HTTP_SERVER_REQUEST_DURATION)
        self._first_byte: Final = recorder(HTTP_SERVER_TIME_TO_FIRST_BYTE)
        self._outcomes: Final = recorder(HTTP_SERVER_REQUEST_OUTCOMES)
        self._request_size: Final = recorder(HTTP_SERVER_REQUEST_BODY_SIZE)
        self._response_size: Final = recorder(HTTP_SERVER_RESPONSE_BODY_SIZE)
        self._active_with: Final = lru_cache(_MAX_HANDLES)(self._create_active)
        self._handles: Final = lru_cache(_MAX_HANDLES)(self._create_handles)
        self._response_size_of: Final = lru_cache(_MAX_HANDLES)(self._create_response_size)

    def begin(self, labels: RequestLabels) -> None:
        """Count an active request."""
        self._active_with(labels).add(1)

    def leave(self, labels: RequestLabels) -> None:
        """Count an active request no more."""
        self._active_with(labels).add(-1)

    def first_byte(self, seconds: float, labels: RequestLabels, route: str, status: str) -> None:
        """Record the time to the first byte of a stream, which may go on for hours."""
        self._first_byte.record(
            seconds,
            http_request_method=labels.method,
            url_scheme=labels.scheme,
            http_route=route,
            http_response_status_code=status,
        )

    def end(
        self,
        seconds: float,
        labels: RequestLabels,
        route: str,
        response: tuple[int, bool],
        ending: Ending,
    ) -> None:
        """Record the end of a request.

        Args:
            seconds: the duration.
            labels: known at the beginning.
            route: template of the route.
            response: the status, 0 if there is none, and whether the response was streamed.
            ending: outcome and error.
        """
        handles = self._handles(labels, route, response, ending)
        handles.duration.record(seconds)
        handles.outcomes.add(1)

    def sizes(
        self, labels: RequestLabels, route: str, request: int | None, response: int | None
    ) -> None:
        """Record the sizes of bodies in bytes; None is unknown."""
        if request is not None:
            self._request_size.record(request, http_request_method=labels.method, http_route=route)
        if response is not None:
            self._response_size_of(labels.method, route).record(response)

    def _create_active(self, labels: RequestLabels) -> LiveUpDownCounter[[]]:
        handle: LiveUpDownCounter[[]] = self._active.with_labels(
            http_request_method=labels.method, url_scheme=labels.scheme
        )
        return handle

    def _create_response_size(self, method: str, route: str) -> LiveHistogram[[]]:
        handle: LiveHistogram[[]] = self._response_size.with_labels(
            http_request_method=method, http_route=route
        )
        return handle

    def _create_handles(
        self, labels: RequestLabels, route: str, response: tuple[int, bool], ending: Ending
    ) -> _Handles:
        (method, scheme), (status, is_stream) = labels, response
        return _Handles(
            self._duration.with_labels(
                http_request_method=method,
                url_scheme=scheme,
                http_route=route,
                http_response_status_code=str(status or ""),
                error_type=ending.error_type,
                stream="true" if is_stream else "",
            ),
            self._outcomes.with_labels(outcome=ending.outcome, http_route=route),
        )
