"""Spans without secrets, whichever library has recorded them: redacted before the export.

An ended span cannot be changed. A span with a secret is exported as a copy; most spans have none,
and are exported as they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.trace import Status

from otel_meta.runtime.interruption import reraise_interruption
from otel_meta.runtime.recording.faults import Faults
from otel_meta.runtime.redaction import Redaction


class RedactingExporter:
    """Delegates to an exporter, with redacted spans.

    Args:
        exporter: exports the spans.
        redaction: hides the secrets.
        faults: counts the spans that could not be redacted, which are not exported.
    """

    def __init__(self, exporter: SpanExporter, redaction: Redaction, faults: Faults) -> None:
        self._exporter: Final = exporter
        self._redaction: Final = redaction
        self._faults: Final = faults

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Redact and export a batch."""
        redacted = (self._redacted(span) for span in spans)
        return self._exporter.export([span for span in redacted if span is not None])

    def __getattr__(self, name: str) -> Any:
        return getattr(self._exporter, name)

    def _redacted(self, span: ReadableSpan) -> ReadableSpan | None:
        try:
            return redact_span(span, self._redaction)
        except Exception as error:
            reraise_interruption(error)
            self._faults.report("redaction", type(error).__name__, repr(error))
            return None


def redact_span(span: ReadableSpan, redaction: Redaction) -> ReadableSpan:
    """Return the span itself, or a copy without secrets."""
    given, recorded, status = _attributes(span), span.events, span.status
    attributes, name = redaction.attributes(given), redaction.message(span.name)
    events = recorded and tuple([_redact_event(event, redaction) for event in recorded])
    text = status.description and redaction.text(status.description)
    if (attributes, name, events, text) == (given, span.name, recorded, status.description):
        return span
    return _RedactedSpan(span, name, attributes, events, Status(status.status_code, text))


def _attributes(of: ReadableSpan | Event) -> Mapping[str, Any]:
    """Return a copy, which is faster than the SDK's mapping: that one takes a lock for each."""
    attributes: Any = of.attributes
    return attributes.copy() if attributes else {}


def _redact_event(event: Event, redaction: Redaction) -> Event:
    given = _attributes(event)
    attributes = redaction.attributes(given)
    return event if attributes is given else _RedactedEvent(event, attributes)


class _RedactedEvent(Event):
    """A copy of an event with other attributes."""

    def __init__(self, event: Event, attributes: Any) -> None:
        super().__init__(event.name, attributes, event.timestamp)
        self._dropped: Final = event.dropped_attributes

    @property
    def dropped_attributes(self) -> int:
        """The number of attributes above the limit."""
        return self._dropped


class _RedactedSpan(ReadableSpan):
    """A copy of an ended span with other texts."""

    def __init__(
        self,
        span: ReadableSpan,
        name: str,
        attributes: Any,
        events: Sequence[Event],
        status: Status,
    ) -> None:
        super().__init__(
            name,
            span.context,
            span.parent,
            span.resource,
            attributes,
            events,
            span.links,
            span.kind,
            status=status,
            start_time=span.start_time,
            end_time=span.end_time,
            instrumentation_scope=span.instrumentation_scope,
        )
        self._original: Final = span

    @property
    def dropped_attributes(self) -> int:
        """The number of attributes above the limit."""
        return self._original.dropped_attributes

    @property
    def dropped_events(self) -> int:
        """The number of events above the limit."""
        return self._original.dropped_events

    @property
    def dropped_links(self) -> int:
        """The number of links above the limit."""
        return self._original.dropped_links
