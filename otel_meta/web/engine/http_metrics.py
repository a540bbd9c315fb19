"""The standard HTTP server metrics, recorded in one place for every engine."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final, NamedTuple, get_args

from otel_meta.model.live import LiveCounter, LiveHistogram, LiveUpDownCounter
from otel_meta.runtime.recording.storage import MetricStorage
from otel_meta.semconv import (
    HTTP_SERVER_ACTIVE_REQUESTS,
    HTTP_SERVER_REQUEST_BODY_SIZE,
    HTTP_SERVER_REQUEST_DURATION,
    HTTP_SERVER_REQUEST_OUTCOMES,
    HTTP_SERVER_RESPONSE_BODY_SIZE,
    HTTP_SERVER_TIME_TO_FIRST_BYTE,
    Method,
    Outcome,
)
from otel_meta.web.asgi import Scope

_METHODS: Final = frozenset(get_args(Method))
_SCHEMES: Final = frozenset({"http", "https"})
_MAX_HANDLES: Final = 1_000
"""Combinations of labels whose handles are kept: a handle records three times as fast."""


class RequestLabels(NamedTuple):
    """Labels that are known when a request begins."""

    method: str
    scheme: str


class EndLabels(NamedTuple):
    """Labels that are known when a request has ended."""

    labels: RequestLabels
    route: str
    status: str
    outcome: Outcome
    error_type: str
    stream: str


class _Handles(NamedTuple):
    """Series that a request with certain labels adds to."""

    active: LiveUpDownCounter[[]]
    duration: LiveHistogram[[]]
    outcomes: LiveCounter[[]]


def request_labels(scope: Scope) -> RequestLabels:
    """Return the labels of a request; methods that are not known share one value."""
    method, scheme = scope.get("method", "GET"), scope.get("scheme", "http")
    return RequestLabels(
        method if method in _METHODS else "_OTHER", scheme if scheme in _SCHEMES else "http"
    )


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
        self._handles: Final = lru_cache(_MAX_HANDLES)(self._create_handles)

    def begin(self, labels: RequestLabels) -> None:
        """Count an active request."""
        self._active.add(1, http_request_method=labels.method, url_scheme=labels.scheme)

    def first_byte(self, seconds: float, labels: RequestLabels, route: str, status: str) -> None:
        """Record the time to the first byte of a stream, which may go on for hours."""
        self._first_byte.record(
            seconds,
            http_request_method=labels.method,
            url_scheme=labels.scheme,
            http_route=route,
            http_response_status_code=status,
        )

    def end(self, seconds: float, labels: EndLabels) -> None:
        """Record the end of a request."""
        handles = self._handles(labels)
        handles.active.add(-1)
        handles.duration.record(seconds)
        handles.outcomes.add(1)

    def sizes(
        self, labels: RequestLabels, route: str, request: int | None, response: int | None
    ) -> None:
        """Record the sizes of bodies in bytes; None is unknown."""
        if request is not None:
            self._request_size.record(request, http_request_method=labels.method, http_route=route)
        if response is not None:
            self._response_size.record(
                response, http_request_method=labels.method, http_route=route
            )

    def _create_handles(self, labels: EndLabels) -> _Handles:
        method, scheme = labels.labels
        return _Handles(
            self._active.with_labels(http_request_method=method, url_scheme=scheme),
            self._duration.with_labels(
                http_request_method=method,
                url_scheme=scheme,
                http_route=labels.route,
                http_response_status_code=labels.status,
                error_type=labels.error_type,
                stream=labels.stream,
            ),
            self._outcomes.with_labels(outcome=labels.outcome, http_route=labels.route),
        )
