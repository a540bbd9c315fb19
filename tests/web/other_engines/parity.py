"""What each engine records, and OpenTelemetry's instrumentation and FastAPI's telemetry alone.

``python -m tests.web.other_engines.parity`` prints the table in ``docs/engines.md``.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from typing import Final, NamedTuple

from .telemetry_keys import (
    EVENT,
    REQUEST,
    SPAN,
    WEBSOCKET,
    Recorded,
    Send,
    of_contrib,
    of_engine,
    of_fastapi,
)

RECORDERS: Final[dict[str, Callable[[Send], Recorded]]] = {
    "meta": partial(of_engine, "meta"),
    "contrib": partial(of_engine, "contrib"),
    "native": partial(of_engine, "native"),
    "contrib alone": of_contrib,
    "FastAPI alone": of_fastapi,
}
ALL: Final = tuple(RECORDERS)
ENGINES: Final = ALL[:3]
BUT_FASTAPI: Final = ALL[:4]

_SERVICE = "it is on the span; as a label, it multiplies the series and says nothing of the service"


class Row(NamedTuple):
    """Names in one place that the same recorders record."""

    place: str
    names: str
    """Separated by commas."""
    recorders: tuple[str, ...]
    why: str = ""
    """The reason, if not all recorders have the names."""

    def line(self) -> str:
        """Return the line of the table."""
        cells = ["yes" if each in self.recorders else "-" for each in RECORDERS]
        listed = ", ".join(f"`{name}`" for name in self.names.split(", "))
        return f"| {self.place} | {listed} | {' | '.join(cells)} | {self.why} |"


_TARGET = "http.request.method, url.scheme"
_DURATION = "http.server.request.duration"
_REQUEST_SIZE = "http.server.request.body.size"
_RESPONSE_SIZE = "http.server.response.body.size"
_MEASURED = "the value of the metric, so that a trace explains its sample"
_OF_METRIC = "a metric of otel_meta"
_SOCKET_METRIC = "no convention has metrics of WebSockets"

ROWS: Final = (
    Row(
        REQUEST,
        f"{_TARGET}, http.request.method_original, url.path, url.query, http.route, "
        "http.response.status_code, error.type, network.protocol.version, server.address, "
        "server.port",
        ALL,
    ),
    Row(
        REQUEST,
        "client.address, client.port, user_agent.original",
        BUT_FASTAPI,
        "recommended by the conventions",
    ),
    Row(
        REQUEST,
        "http.request.body.size, http.response.body.size, http.server.time_to_first_byte, stream",
        ENGINES,
        _MEASURED,
    ),
    Row(REQUEST, "otel_meta.outcome", ENGINES, "tells a client that leaves from a failure"),
    Row(
        REQUEST,
        "user_agent.synthetic.type",
        ("contrib", "contrib alone"),
        "a guess from `user_agent.original`, which the span has",
    ),
    Row(
        WEBSOCKET,
        "url.scheme, http.route, server.address, server.port",
        ALL,
    ),
    Row(
        WEBSOCKET,
        "url.path, network.protocol.version, http.response.status_code, client.address, "
        "client.port",
        BUT_FASTAPI,
        "the handshake is an HTTP request; its status is 101 or that of the refusal; contrib "
        "alone says 200 after a message",
    ),
    Row(WEBSOCKET, "http.request.method", ENGINES, "the handshake is an HTTP request"),
    Row(
        WEBSOCKET,
        "error.type",
        (*ENGINES, "FastAPI alone"),
        "required by the conventions if the span is an error",
    ),
    Row(
        WEBSOCKET,
        "otel_meta.websocket.close_code, otel_meta.websocket.close_reason",
        ENGINES,
        "no convention has them",
    ),
    Row(
        WEBSOCKET,
        "network.protocol.name",
        ("native", "FastAPI alone"),
        "`url.scheme` says it already",
    ),
    Row(
        EVENT,
        "exception",
        BUT_FASTAPI,
        "FastAPI sends a log record instead; meta has the event, and its log lines have the ids",
    ),
    Row(SPAN, "background", ENGINES, "named by the function of the task"),
    Row(SPAN, "teardown", ENGINES, "an exception after the end of a response or a connection"),
    Row(
        SPAN,
        "fastapi.background_task, fastapi.dependencies, fastapi.endpoint, fastapi.serialization",
        ("native", "FastAPI alone"),
        "a span for each step costs more than the request's own; "
        '`telemetry={"operation_spans": False}` leaves them out',
    ),
    Row(
        SPAN,
        "http receive, http send, websocket receive, websocket send, BackgroundTask",
        ("contrib alone",),
        "a span for each message of ASGI says nothing of the application; the task has a span of "
        "otel_meta",
    ),
    Row("http.server.active_requests", _TARGET, ALL),
    Row(
        _DURATION,
        f"{_TARGET}, http.route, http.response.status_code, error.type",
        ALL,
    ),
    Row(
        _DURATION,
        "network.protocol.version",
        ("contrib alone", "FastAPI alone"),
        _SERVICE,
    ),
    Row(_DURATION, "stream", ENGINES, "the duration of a stream depends on the listener"),
    Row(
        _REQUEST_SIZE,
        "http.request.method, http.route",
        BUT_FASTAPI,
        "recorded where the size is exact",
    ),
    Row(
        _RESPONSE_SIZE,
        "http.request.method, http.route",
        BUT_FASTAPI,
        "recorded where the size is exact",
    ),
    Row(
        _REQUEST_SIZE,
        "url.scheme, http.response.status_code, network.protocol.version",
        ("contrib alone",),
        "a size depends on the route; each label more multiplies the series",
    ),
    Row(
        _RESPONSE_SIZE,
        "url.scheme, http.response.status_code, network.protocol.version, error.type",
        ("contrib alone",),
        "a size depends on the route; each label more multiplies the series",
    ),
    Row(
        "http.server.time_to_first_byte",
        f"{_TARGET}, http.route, http.response.status_code",
        ENGINES,
        _OF_METRIC,
    ),
    Row("http.server.request.outcomes", "outcome, http.route", ENGINES, _OF_METRIC),
    Row(
        "http.server.after_response.errors",
        "phase, error.type, http.route",
        ENGINES,
        _OF_METRIC,
    ),
    Row("websocket.connections.active", "path", ENGINES, _SOCKET_METRIC),
    Row("websocket.connections.closed", "path, reason", ENGINES, _SOCKET_METRIC),
    Row("websocket.connection.duration", "path, reason", ENGINES, _SOCKET_METRIC),
    Row("websocket.message.duration", "path, direction", ENGINES, _SOCKET_METRIC),
)


def expected(recorder: str) -> dict[str, set[str]]:
    """Return the names by place that a recorder records."""
    found: dict[str, set[str]] = {}
    for row in ROWS:
        if recorder in row.recorders:
            found.setdefault(row.place, set()).update(row.names.split(", "))
    return found


def table() -> str:
    """Return the table as Markdown."""
    head = f"| place | names | {' | '.join(RECORDERS)} | why |"
    return "\n".join([head, f"|{'---|' * (len(RECORDERS) + 3)}", *(row.line() for row in ROWS)])


if __name__ == "__main__":
    sys.stdout.write(f"{table()}\n")
