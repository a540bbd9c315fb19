"""Metrics of web servers: HTTP as in OpenTelemetry's semantic conventions, and WebSockets.

Source: stable HTTP conventions, https://opentelemetry.io/docs/specs/semconv/http/http-metrics/.
Buckets are the advised ones. Attribute keys have dots, and labels in Prometheus have underscores.
There are no conventions for WebSockets.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

from otel_meta.model import (
    Attribute,
    Combined,
    Counter,
    Histogram,
    Instrument,
    Recording,
    UpDownCounter,
    labels,
)
from otel_meta.model.declared_call import declaring
from otel_meta.model.selector import MatcherValue

from .measures import quantile

__all__ = [
    "HTTP_SERVER_ACTIVE_REQUESTS",
    "HTTP_SERVER_AFTER_RESPONSE_ERRORS",
    "HTTP_SERVER_LATENCY_P99",
    "HTTP_SERVER_REQUEST_BODY_SIZE",
    "HTTP_SERVER_REQUEST_DURATION",
    "HTTP_SERVER_REQUEST_OUTCOMES",
    "HTTP_SERVER_RESPONSE_BODY_SIZE",
    "HTTP_SERVER_TIME_TO_FIRST_BYTE",
    "INSTRUMENTATION",
    "WEBSOCKET_ACTIVE_CONNECTIONS",
    "WEBSOCKET_CLOSED_CONNECTIONS",
    "WEBSOCKET_CONNECTION_DURATION",
    "WEBSOCKET_MESSAGE_DURATION",
    "WEBSOCKET_SERVER_FAULTS",
    "Attribute",
    "CloseReason",
    "HttpServerActive",
    "HttpServerBody",
    "HttpServerLateError",
    "HttpServerOutcome",
    "HttpServerRequest",
    "HttpServerStream",
    "Method",
    "Outcome",
    "WebSocketEnd",
    "WebSocketEndpoint",
    "WebSocketMessage",
    "responses_within",
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

Outcome = Literal[
    "ok",
    "client_error",
    "server_error",
    "client_disconnect",
    "cancelled",
    "incomplete_response",
]
"""The end of a request.

``server_error`` and ``incomplete_response`` have an ``error.type`` and are bad events of the SLOs;
``client_disconnect`` and ``cancelled`` are not.
"""

CloseReason = Literal[
    "normal",
    "going_away",
    "protocol_error",
    "abnormal",
    "server_error",
    "policy_violation",
    "service_restart",
    "try_again_later",
    "bad_gateway",
    "library",
    "application",
    "rejected",
    "vanished",
]
"""The reason for the end of a WebSocket connection, mostly by the code of its close frame.

``rejected`` is a handshake that the application refused; ``vanished``, a connection that was lost
without a close frame; ``abnormal``, one that the application left open when it returned. Codes that
a library or the application defined are ``library`` and ``application``.
"""

WEBSOCKET_SERVER_FAULTS: Final[tuple[CloseReason, ...]] = (
    "abnormal",
    "server_error",
    "try_again_later",
    "bad_gateway",
)
"""The reasons that are the server's fault.

A client that vanishes is none: telephones lose their network, and laptops go to sleep. Where every
client has a steady network, a declaration adds ``vanished``. ``protocol_error`` is none, because
anybody can send invalid frames; ``service_restart`` is none, because the client was told to return.
"""


def _number(text: str) -> str | int:
    return int(text) if text.isdecimal() else text


_STATUS_CODES: Final = tuple(str(code) for code in range(100, 600))


@labels
class HttpServerActive:
    """Labels of requests in progress."""

    http_request_method: Annotated[Method, Attribute("http.request.method")]
    url_scheme: Annotated[Literal["http", "https"], Attribute("url.scheme")]


@labels
class HttpServerStream:
    """Labels of streamed responses."""

    http_request_method: Annotated[Method, Attribute("http.request.method")]
    url_scheme: Annotated[Literal["http", "https"], Attribute("url.scheme")]
    http_route: Annotated[str, Attribute("http.route")] = ""
    """Template of the route, never the raw path; empty if no route matched."""
    http_response_status_code: Annotated[
        str, Attribute("http.response.status_code", values=_STATUS_CODES, encode=_number)
    ] = ""
    """Empty if no response was started."""


@labels
class HttpServerRequest(HttpServerStream):
    """Labels of finished requests."""

    error_type: Annotated[str, Attribute("error.type")] = ""
    """Class of the exception, or the status code from 500; empty for success and client errors."""
    stream: Annotated[str, Attribute("stream", values=("true",))] = ""
    """``true`` if the response was streamed: its duration depends on the listener."""


@labels
class HttpServerOutcome:
    """Labels of outcomes."""

    outcome: Outcome
    http_route: Annotated[str, Attribute("http.route")] = ""


@labels
class HttpServerLateError:
    """Labels of exceptions after the response."""

    phase: Literal["background", "teardown"]
    """``teardown``: a dependency's code after its ``yield``."""
    error_type: Annotated[str, Attribute("error.type")]
    http_route: Annotated[str, Attribute("http.route")] = ""


@labels
class HttpServerBody:
    """Labels of bodies."""

    http_request_method: Annotated[Method, Attribute("http.request.method")]
    http_route: Annotated[str, Attribute("http.route")] = ""


@labels
class WebSocketEndpoint:
    """An endpoint of WebSocket connections."""

    path: str
    """Template of the route, never the raw path; empty if no route matched."""


@labels
class WebSocketEnd:
    """A closed WebSocket connection."""

    path: str
    reason: CloseReason


@labels
class WebSocketMessage:
    """A message over a WebSocket."""

    path: str
    direction: Literal["received", "sent"]


HTTP_SERVER_REQUEST_DURATION: Final = Histogram(
    "http.server.request.duration",
    "Duration of HTTP server requests.",
    HttpServerRequest,
    unit="s",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10),
)
"""Time from the first byte read to the last byte sent, without background tasks."""

HTTP_SERVER_LATENCY_P99: Final = Recording(
    "service:http_server_request_duration_seconds:p99_7d",
    quantile(HTTP_SERVER_REQUEST_DURATION.where(stream=""), "0.99", "7d"),
    "P99 of the time to answer a request, in seconds, over 7 days.",
)
"""Without streams, which last as long as their listeners."""

_SIZES: Final = (100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000)

HTTP_SERVER_TIME_TO_FIRST_BYTE: Final = Histogram(
    "http.server.time_to_first_byte",
    "Time from the first byte read to the first byte sent of a streamed response.",
    HttpServerStream,
    unit="s",
    buckets=HTTP_SERVER_REQUEST_DURATION.buckets,
)


@declaring
def responses_within(bound: float, **labels: MatcherValue) -> Combined:
    """Return the SLI "share of responses in time": a stream is in time by its first byte.

    A stream lasts as long as its listener, so that its duration says nothing about the server. To
    judge streams by their duration as well, use ``HTTP_SERVER_REQUEST_DURATION.within(bound)``.

    Args:
        bound: a bound of the buckets, in seconds.
        labels: only the requests with these values of labels, as ``http_route="/orders"``.

    Raises:
        DeclarationError: no bucket ends at the bound, or a label is unknown.
    """
    return Combined(
        HTTP_SERVER_REQUEST_DURATION.where(stream="", **labels).within(bound),
        HTTP_SERVER_TIME_TO_FIRST_BYTE.where(**labels).within(bound),
    )


HTTP_SERVER_REQUEST_OUTCOMES: Final = Counter(
    "http.server.request.outcomes",
    "HTTP server requests that ended, by outcome.",
    HttpServerOutcome,
    unit="{request}",
)

HTTP_SERVER_AFTER_RESPONSE_ERRORS: Final = Counter(
    "http.server.after_response.errors",
    "Exceptions after the last byte of a response, in background tasks and in teardown.",
    HttpServerLateError,
    unit="{error}",
)

HTTP_SERVER_REQUEST_BODY_SIZE: Final = Histogram(
    "http.server.request.body.size",
    "Size of HTTP server request bodies.",
    HttpServerBody,
    unit="By",
    buckets=_SIZES,
)

HTTP_SERVER_RESPONSE_BODY_SIZE: Final = Histogram(
    "http.server.response.body.size",
    "Size of HTTP server response bodies.",
    HttpServerBody,
    unit="By",
    buckets=_SIZES,
)

HTTP_SERVER_ACTIVE_REQUESTS: Final = UpDownCounter(
    "http.server.active_requests",
    "Number of active HTTP server requests.",
    HttpServerActive,
    unit="{request}",
)

WEBSOCKET_ACTIVE_CONNECTIONS: Final = UpDownCounter(
    "websocket.connections.active",
    "Open WebSocket connections.",
    WebSocketEndpoint,
    unit="{connection}",
)

WEBSOCKET_CLOSED_CONNECTIONS: Final = Counter(
    "websocket.connections.closed",
    "Closed WebSocket connections, by reason.",
    WebSocketEnd,
    unit="{connection}",
)

WEBSOCKET_CONNECTION_DURATION: Final = Histogram(
    "websocket.connection.duration",
    "Time from the handshake of a WebSocket connection to its end.",
    WebSocketEnd,
    unit="s",
    buckets=(0.1, 1, 10, 30, 60, 300, 900, 3600, 14_400, 86_400),
)
"""A peak at a round number with one reason is a timeout of a proxy on the way."""

WEBSOCKET_MESSAGE_DURATION: Final = Histogram(
    "websocket.message.duration",
    "Time to handle a WebSocket message.",
    WebSocketMessage,
    unit="s",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5),
)
"""Its count by direction is the number of messages."""

INSTRUMENTATION: Final[tuple[Instrument[...], ...]] = (
    HTTP_SERVER_REQUEST_DURATION,
    HTTP_SERVER_ACTIVE_REQUESTS,
    HTTP_SERVER_TIME_TO_FIRST_BYTE,
    HTTP_SERVER_REQUEST_OUTCOMES,
    HTTP_SERVER_AFTER_RESPONSE_ERRORS,
    HTTP_SERVER_REQUEST_BODY_SIZE,
    HTTP_SERVER_RESPONSE_BODY_SIZE,
    WEBSOCKET_ACTIVE_CONNECTIONS,
    WEBSOCKET_CLOSED_CONNECTIONS,
    WEBSOCKET_CONNECTION_DURATION,
    WEBSOCKET_MESSAGE_DURATION,
)
"""Recorded by every instrumented application, whatever its meta-repository declares."""
