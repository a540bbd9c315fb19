"""Spans, log lines and changes of series that one telemetry has from a moment on."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any, Final
from weakref import WeakKeyDictionary

from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor

from otel_meta.model import Instrument, Slo
from otel_meta.runtime.export.redacted_spans import redact_span
from otel_meta.runtime.recording.cells import HistogramCell
from otel_meta.runtime.telemetry import Telemetry
from otel_meta.status.events import Events

OnSpan = Callable[[ReadableSpan], None]


class _SpanObservers(SpanProcessor):
    """Gives each ended span to the observers.

    A tracer provider has no method that removes a processor. So each provider gets one of these.
    """

    def __init__(self) -> None:
        self.observers: Final[list[OnSpan]] = []

    def on_end(self, span: ReadableSpan) -> None:
        """Give the span to the observers."""
        for observer in tuple(self.observers):
            observer(span)


_SPAN_OBSERVERS: Final[WeakKeyDictionary[Telemetry, _SpanObservers]] = WeakKeyDictionary()


class ObservedTelemetry:
    """The changes of one telemetry since this object was made."""

    def __init__(self, telemetry: Telemetry) -> None:
        self.telemetry: Final = telemetry
        self._cells: Final = {
            cell: _value_of(cell)
            for family in telemetry.storage.families()
            for cell in family.cells()
        }
        self._events: Final = {s.slo: s.events for s in telemetry.tracker.statuses()}

    def change(self, instrument: Instrument[...], labels: dict[str, str]) -> float | None:
        """Return the change of a sum, or the latest value of a gauge; None without a series."""
        found = [
            value
            for cell in self.telemetry.storage.family(instrument).cells()
            if labels.items() <= _labels_of(instrument, cell.labels).items()
            and (value := self._change_of(cell, instrument)) is not None
        ]
        return sum(found) if found else None

    def events(self, slo: Slo) -> Events | None:
        """Return the change of an SLO's events; None if the SLO is not tracked."""
        try:
            now = self.telemetry.tracker.status(slo).events
        except KeyError:
            return None
        before = self._events.get(slo, Events(0.0, 0.0))
        return Events(now.bad - before.bad, now.total - before.total)

    def _change_of(self, cell: Any, instrument: Instrument[...]) -> float | None:
        value = _value_of(cell)
        if value is None or not instrument.traits.is_additive:
            return value
        return value - (self._cells.get(cell) or 0.0)


@contextmanager
def observed(
    telemetry: Telemetry, on_span: OnSpan, on_line: Callable[[bytes], None]
) -> Generator[ObservedTelemetry]:
    """Observe telemetry inside a block, whoever has configured the telemetry.

    Args:
        telemetry: open telemetry.
        on_span: called with each ended span, as it is exported.
        on_line: called with each log line, as JSON.
    """

    def on_redacted_span(span: ReadableSpan) -> None:
        on_span(redact_span(span, telemetry.redaction))

    observers = _span_observers(telemetry)
    observers.append(on_redacted_span)
    try:
        with telemetry.logs.observers.watched_by(on_line):
            yield ObservedTelemetry(telemetry)
    finally:
        observers.remove(on_redacted_span)


def _span_observers(telemetry: Telemetry) -> list[OnSpan]:
    if telemetry not in _SPAN_OBSERVERS:
        processor = _SPAN_OBSERVERS[telemetry] = _SpanObservers()
        if telemetry.traces is not None:
            telemetry.traces.add_span_processor(processor)
    return _SPAN_OBSERVERS[telemetry].observers


def _labels_of(instrument: Instrument[...], values: tuple[str, ...]) -> dict[str, str]:
    return dict(zip((label.name for label in instrument.label_fields), values, strict=False))


def _value_of(cell: Any) -> float | None:
    return sum(cell.snapshot()[0]) if isinstance(cell, HistogramCell) else cell.value
