"""Real telemetry with spans, series and log lines captured in memory."""

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
    """Telemetry of a service with captured output."""

    def __init__(
        self, telemetry: Telemetry, spans: InMemorySpanExporter, lines: io.BytesIO, clock: FakeClock
    ) -> None:
        self.telemetry: Final = telemetry
        self.clock: Final = clock
        self._spans: Final = spans
        self._lines: Final = lines

    def bind(self, repo: type[RepoT]) -> RepoT:
        """Return an instance of a meta-repository with live instruments."""
        return self.telemetry.bind(repo)

    def value(self, instrument: Instrument[...], **labels: str) -> float | None:
        """Return the value of a series: a sum, a gauge's latest value, a histogram's count.

        Args:
            instrument: the declared instrument.
            **labels: label values; series that differ only in other labels are added up.

        Returns:
            The value, or None if there is no such series.
        """
        found = [
            value
            for cell in self.telemetry.storage.family(instrument).cells()
            if labels.items() <= _labels_of(instrument, cell.labels).items()
            and (value := _value_of(cell)) is not None
        ]
        return sum(found) if found else None

    def spans(self) -> tuple[ReadableSpan, ...]:
        """Return the ended spans, oldest first."""
        return self._spans.get_finished_spans()

    def logs(self) -> list[dict[str, Any]]:
        """Return the log lines, parsed, oldest first."""
        return [json.loads(line) for line in self._lines.getvalue().splitlines()]

    def prometheus_text(self, accept: str = "") -> str:
        """Return the response to a scrape; "" if metrics are not exported to Prometheus.

        Args:
            accept: the Accept header of the scrape.
        """
        scrape = self.telemetry.scrape
        return "" if scrape is None else scrape.render(accept)[0].decode()


@contextmanager
def capture(
    service_name: str = "service-under-test", repo: type[MetaRepo] | None = None, **settings: Any
) -> Generator[CapturedTelemetry]:
    """Configure telemetry with captured output; leaving the context shuts telemetry down.

    Global providers and the environment stay unchanged, so a test can capture repeatedly.

    Args:
        service_name: the name of the service.
        repo: the meta-repository of the service, as for `configure`.
        **settings: further arguments of `configure`.
    """
    lines, spans, clock = io.BytesIO(), InMemorySpanExporter(), FakeClock()
    defaults: dict[str, Any] = {
        "prometheus_port": None,
        "log_stream": lines,
        "cache_loggers": False,
        "set_global": False,
        "environ": {},
        "clock": clock,
    }
    with configure(service_name, repo, **(defaults | settings)) as telemetry:
        if telemetry.traces is not None:
            telemetry.traces.provider.add_span_processor(SimpleSpanProcessor(spans))
        yield CapturedTelemetry(telemetry, spans, lines, clock)


def _labels_of(instrument: Instrument[...], values: tuple[str, ...]) -> dict[str, str]:
    return dict(zip((label.name for label in instrument.label_fields), values, strict=False))


def _value_of(cell: Any) -> float | None:
    return sum(cell.snapshot()[0]) if isinstance(cell, HistogramCell) else cell.value
