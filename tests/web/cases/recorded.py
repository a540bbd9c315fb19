"""Telemetry of requests: what spans and series say, in one shape for every engine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from fastapi import FastAPI
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanKind
from prometheus_client.parser import text_string_to_metric_families as parse

from otel_meta import instrument_fastapi
from otel_meta.testing import CapturedTelemetry

from .driver import Peer, Request, Response, ask, connect
from .engines import ENGINES

DURATION = "http_server_request_duration_seconds"
FIRST_BYTE = "http_server_time_to_first_byte_seconds"
OUTCOMES = "http_server_request_outcomes_total"
ACTIVE = "http_server_active_requests"
RESPONSE_SIZE = "http_server_response_body_size_bytes"
REQUEST_SIZE = "http_server_request_body_size_bytes"


class Sample(NamedTuple):
    """The labels of one recorded duration."""

    method: str
    route: str = ""
    status: str = "200"
    error: str = ""


class ServerSpan(NamedTuple):
    """The parts of a server span that a case names."""

    name: str
    route: str = ""
    status: str = "200"
    error: str = ""
    code: str = "UNSET"
    """The span's status code."""


Labels = Mapping[str, str]


def series(page: str, name: str) -> Iterator[tuple[Labels, float]]:
    """Return the labels and values of the series of a name."""
    for family in parse(page):
        for sample in family.samples:
            if sample.name == name:
                yield sample.labels, sample.value


def server_span(span: ReadableSpan) -> ServerSpan:
    """Return the parts of a span that a case names."""
    attributes = span.attributes or {}
    return ServerSpan(
        span.name,
        str(attributes.get("http.route", "")),
        str(attributes.get("http.response.status_code", "")),
        str(attributes.get("error.type", "")),
        span.status.status_code.name,
    )


def exceptions(span: ReadableSpan) -> list[str]:
    """Return the classes of the exceptions on a span."""
    events = [event for event in span.events if event.name == "exception"]
    return [str((event.attributes or {}).get("exception.type")) for event in events]


def seconds(span: ReadableSpan) -> float:
    """Return the duration of an ended span."""
    return ((span.end_time or 0) - (span.start_time or 0)) / 1e9


class Recorded:
    """An instrumented application, and the telemetry of its requests.

    Args:
        captured: the telemetry, at its start.
        app: the application.
        engine: the engine of the server spans.
        **options: further arguments of ``instrument_fastapi``.
    """

    def __init__(
        self, captured: CapturedTelemetry, app: FastAPI, engine: str, **options: Any
    ) -> None:
        self.captured = captured
        self.app = app
        instrument_fastapi(app, captured.telemetry, **ENGINES[engine], **options)

    def ask(self, request: Request | str) -> Response:
        """Send a request to the application."""
        return ask(self.app, request)

    def connect(self, path: str, texts: tuple[str, ...] = (), code: int | None = 1000) -> Peer:
        """Open a WebSocket of the application, exchange messages, and close it."""
        return connect(self.app, path, texts, code)

    def spans(self) -> list[ReadableSpan]:
        """Return the server spans."""
        return [span for span in self.captured.spans() if span.kind is SpanKind.SERVER]

    def span(self) -> ReadableSpan:
        """Return the only server span."""
        (span,) = self.spans()
        return span

    def server_spans(self) -> list[ServerSpan]:
        """Return the named parts of the server spans."""
        return [server_span(span) for span in self.spans()]

    def series(self, name: str) -> list[tuple[Labels, float]]:
        """Return the labels and values of the exposed series of a name."""
        return list(series(self.captured.prometheus_text(), name))

    def samples(self) -> Counter[Sample]:
        """Return the number of recorded durations by labels."""
        return Counter(
            {
                Sample(
                    labels["http_request_method"],
                    labels.get("http_route", ""),
                    labels.get("http_response_status_code", ""),
                    labels.get("error_type", ""),
                ): int(value)
                for labels, value in self.series(f"{DURATION}_count")
            }
        )

    def duration(self) -> float:
        """Return the sum of the recorded durations."""
        return sum(value for _, value in self.series(f"{DURATION}_sum"))

    def outcomes(self) -> dict[str, int]:
        """Return the number of requests by outcome, without the outcomes of no request."""
        found: Counter[str] = Counter()
        for labels, value in self.series(OUTCOMES):
            found[labels["outcome"]] += int(value)
        return dict(+found)

    def active(self) -> float:
        """Return the number of active requests."""
        return sum(value for _, value in self.series(ACTIVE))

    def lines(self, event: str) -> list[dict[str, Any]]:
        """Return the log lines of an event."""
        return [line for line in self.captured.logs() if line["event"] == event]
