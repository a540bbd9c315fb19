from __future__ import annotations

from typing import Any, cast

from opentelemetry.sdk.trace import ReadableSpan, SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Link, SpanContext, Status, StatusCode

from otel_meta.runtime.export.redacted_spans import RedactingExporter, redact_span
from otel_meta.runtime.recording.faults import Faults
from otel_meta.runtime.redaction import DEFAULT

LINK = Link(SpanContext(1, 2, is_remote=False))


def ended(name: str = "GET /", limits: SpanLimits | None = None, **given: Any) -> ReadableSpan:
    """Return an ended span with these attributes."""
    tracer = TracerProvider(span_limits=limits).get_tracer("theirs")
    with tracer.start_as_current_span(name, attributes=given, links=[LINK]) as span:
        pass
    assert isinstance(span, ReadableSpan)
    return span


def failed(error: Exception, description: str) -> ReadableSpan:
    """Return an ended span with an exception and a status."""
    span: Any = TracerProvider().get_tracer("theirs").start_span("job")
    span.add_event("begun", {"step": 1})
    span.record_exception(error)
    span.set_status(Status(StatusCode.ERROR, description))
    span.end()
    return cast("ReadableSpan", span)


class TestRedactSpan:
    def test_span_without_secret_is_not_copied(self) -> None:
        """A span without a secret is exported as it is."""
        given: dict[str, Any] = {"url.query": "a=REDACTED", "http.route": "/"}
        span = ended(**given)

        assert redact_span(span, DEFAULT) is span

    def test_attributes_and_name_are_redacted(self) -> None:
        """Attributes and the name are redacted, and the rest of the span stays."""
        span = ended("GET /?token=hunter2", password="hunter2", user="ann")
        redacted = redact_span(span, DEFAULT)

        assert "GET /?token=REDACTED" == redacted.name
        assert {"password": "REDACTED", "user": "ann"} == dict(redacted.attributes or {})
        for part in ("context", "parent", "kind", "links", "resource", "instrumentation_scope"):
            assert getattr(span, part) == getattr(redacted, part)
        assert (span.start_time, span.end_time) == (redacted.start_time, redacted.end_time)

    def test_exception_and_status_are_redacted(self) -> None:
        """The exception of an event and the message of the status are redacted."""
        error = ValueError("cannot connect to redis://:hunter2@cache")
        redacted = redact_span(failed(error, f"ValueError: {error}"), DEFAULT)
        begun, raised = redacted.events

        assert {"step": 1} == dict(begun.attributes or {})
        assert (
            "cannot connect to redis://REDACTED@cache"
            == (raised.attributes or {})["exception.message"]
        )
        assert "hunter2" not in str(dict(raised.attributes or {}))
        assert "ValueError: cannot connect to redis://REDACTED@cache" == redacted.status.description
        assert StatusCode.ERROR is redacted.status.status_code

    def test_numbers_of_dropped_items_stay(self) -> None:
        """The numbers of attributes, events and links above the limits stay."""
        limits = SpanLimits(max_attributes=1, max_links=0)
        redacted = redact_span(ended(limits=limits, user="ann", password="hunter2"), DEFAULT)

        assert (1, 1) == (redacted.dropped_attributes, redacted.dropped_links)


class TestExporter:
    def test_span_that_cannot_be_redacted_is_counted_and_not_exported(self) -> None:
        """A span that cannot be redacted is counted, and only that span is not exported."""
        faults, memory = Faults(), InMemorySpanExporter()
        exporter: Any = RedactingExporter(memory, DEFAULT, faults)
        broken: Any = object()

        assert SpanExportResult.SUCCESS is exporter.export([broken, ended("good")])
        assert ["good"] == [span.name for span in memory.get_finished_spans()]
        assert 1 == faults.count()

    def test_shutdown_reaches_exporter(self) -> None:
        """A shutdown reaches the exporter."""
        memory = InMemorySpanExporter()
        exporter: Any = RedactingExporter(memory, DEFAULT, Faults())
        exporter.shutdown()

        assert SpanExportResult.FAILURE is exporter.export([ended()])
