"""The standard HTTP server metrics, recorded in one place for every engine."""

from __future__ import annotations

from typing import Any, Final, NamedTuple, get_args

from otel_meta.runtime.recording.storage import MetricStorage
from otel_meta.semconv import (
    HTTP_SERVER_ACTIVE_REQUESTS,
    HTTP_SERVER_REQUEST_BODY_SIZE,
    HTTP_SERVER_REQUEST_DURATION,
    HTTP_SERVER_REQUEST_OUTCOMES,
    HTTP_SERVER_RESPONSE_BODY_SIZE,
    HTTP_SERVER_TIME_TO_FIRST_BYTE,
    Method,
)
from otel_meta.web.asgi import Scope

from .outcome import Ending

_METHODS: Final = frozenset(get_args(Method))
_SCHEMES: Final = frozenset({"http", "https"})


class RequestLabels(NamedTuple):
    """Labels that are known when a request begins."""

    method: str
    scheme: str


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

    def end(
        self,
        seconds: float,
        labels: RequestLabels,
        ending: Ending,
        *,
        route: str,
        status: str,
        stream: str,
    ) -> None:
        """Record the end of a request."""
        self._active.add(-1, http_request_method=labels.method, url_scheme=labels.scheme)
        self._duration.record(
            seconds,
            http_request_method=labels.method,
            url_scheme=labels.scheme,
            http_route=route,
            http_response_status_code=status,
            error_type=ending.error_type,
            stream=stream,
        )
        self._outcomes.add(1, outcome=ending.outcome, http_route=route)

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
