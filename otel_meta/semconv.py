"""Metrics of OpenTelemetry's semantic conventions that SLOs stand on: HTTP servers.

Source: stable HTTP conventions, https://opentelemetry.io/docs/specs/semconv/http/http-metrics/.
The buckets are the advised ones. Keys have dots there; Prometheus shows underscores.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

from otel_meta.model import Attribute, Histogram, Recording, UpDownCounter, labels

from .measures import quantile

__all__ = [
    "HTTP_SERVER_ACTIVE_REQUESTS",
    "HTTP_SERVER_LATENCY_P99",
    "HTTP_SERVER_REQUEST_DURATION",
    "Attribute",
    "HttpServerActive",
    "HttpServerRequest",
    "Method",
]

Method = Literal[
    "CONNECT",
    "DELETE",
    "GET",
    "HEAD",
    "OPTIONS",
    "PATCH",
    "POST",
    "PUT",
    "QUERY",
    "TRACE",
    "_OTHER",
]


def _number(text: str) -> str | int:
    return int(text) if text.isdecimal() else text


_STATUS_CODES: Final = tuple(str(code) for code in range(100, 600))


@labels
class HttpServerActive:
    """Requests that are being answered."""

    http_request_method: Annotated[Method, Attribute("http.request.method")]
    url_scheme: Annotated[Literal["http", "https"], Attribute("url.scheme")]


@labels
class HttpServerRequest:
    """Requests that have been answered."""

    http_request_method: Annotated[Method, Attribute("http.request.method")]
    url_scheme: Annotated[Literal["http", "https"], Attribute("url.scheme")]
    http_route: Annotated[str, Attribute("http.route")] = ""
    """The route's template; empty where no route matched. Never the raw path."""
    http_response_status_code: Annotated[
        str, Attribute("http.response.status_code", values=_STATUS_CODES, encode=_number)
    ] = ""
    """Empty where no response was started."""
    error_type: Annotated[str, Attribute("error.type")] = ""
    """Class of the exception, or the status from 500 on; empty where the server did its part."""


HTTP_SERVER_REQUEST_DURATION: Final = Histogram(
    "http.server.request.duration",
    "Duration of HTTP server requests.",
    HttpServerRequest,
    unit="s",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10),
)
"""From the first byte read to the last byte sent; background tasks are not in it."""

HTTP_SERVER_LATENCY_P99: Final = Recording(
    "service:http_server_request_duration_seconds:p99_7d",
    quantile(HTTP_SERVER_REQUEST_DURATION, "0.99", "7d"),
    "P99 of the time to answer a request, in seconds, over 7 days.",
)

HTTP_SERVER_ACTIVE_REQUESTS: Final = UpDownCounter(
    "http.server.active_requests",
    "Number of active HTTP server requests.",
    HttpServerActive,
    unit="{request}",
)
