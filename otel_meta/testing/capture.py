"""Real telemetry whose output stays in the test: spans, series and log lines to look at."""

from __future__ import annotations

import io
import json
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, Final, TypeVar

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from otel_meta.model import Instrument, MetaRepo
from otel_meta.runtime.configure import configure
from otel_meta.runtime.recording.cells import HistogramCell
from otel_meta.runtime.telemetry import Telemetry

from .clock import FakeClock

RepoT = TypeVar("RepoT", bound=MetaRepo)


class CapturedTelemetry:
    """Telemetry as a service has it, and what came out of it."""

    def __init__(
        self, telemetry: Telemetry, spans: InMemorySpanExporter, lines: io.BytesIO, clock: FakeClock
    ) -> None:
        self.telemetry: Final = telemetry
        self.clock: Final = clock
        self._spans: Final = spans
        self._lines: Final = lines

    def bind(self, repo: type[RepoT]) -> RepoT:
        """A meta-repository whose instruments are live."""
        return self.telemetry.bind(repo)

    def value(self, instrument: Instrument[...], **labels: str) -> float | None:
        """What a series shows: a sum, a gauge's latest value, or how many values a histogram has.

        Labels that are left out are those that do not matter: their series are added up. None
        where there is no such series.
        """
        found = [
            shown
            for cell in self.telemetry.storage.family(instrument).cells()
            if labels.items() <= _named(instrument, cell.labels).items()
            and (shown := _shown(cell)) is not None
        ]
        return sum(found) if found else None

    def spans(self) -> tuple[ReadableSpan, ...]:
        """Spans that have ended, oldest first."""
        return self._spans.get_finished_spans()

    def logs(self) -> list[dict[str, Any]]:
        """Log lines, oldest first."""
        return [json.loads(line) for line in self._lines.getvalue().splitlines()]

    def prometheus_text(self, accept: str = "") -> str:
        """What a scrape would be answered with."""
        scrape = self.telemetry.scrape
        return "" if scrape is None else scrape.render(accept)[0].decode()


@contextmanager
def capture(
    service_name: str = "service-under-test", repo: type[MetaRepo] | None = None, **settings: Any
) -> Generator[CapturedTelemetry]:
    """Set up telemetry whose output is captured; leaving shuts it down.

    The process' own providers and environment stay untouched, so that captures can follow each
    other. ``settings`` are those of `configure`.
    """
    lines, spans, clock = io.BytesIO(), InMemorySpanExporter(), FakeClock()
    quiet: dict[str, Any] = {
        "prometheus_port": None,
        "log_stream": lines,
        "cache_loggers": False,
        "set_global": False,
        "environ": {},
        "clock": clock,
    }
    with configure(service_name, repo, **(quiet | settings)) as telemetry:
        if telemetry.traces is not None:
            telemetry.traces.provider.add_span_processor(SimpleSpanProcessor(spans))
        yield CapturedTelemetry(telemetry, spans, lines, clock)


def _named(instrument: Instrument[...], values: tuple[str, ...]) -> dict[str, str]:
    return dict(zip((label.name for label in instrument.label_fields), values, strict=False))


def _shown(cell: Any) -> float | None:
    return sum(cell.snapshot()[0]) if isinstance(cell, HistogramCell) else cell.value
