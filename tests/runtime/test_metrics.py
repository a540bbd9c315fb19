from __future__ import annotations

import logging
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.metrics import CallbackOptions, Meter, Observation
from opentelemetry.sdk.metrics.export import MetricExporter, MetricExportResult

from otel_meta import Counter, Gauge, MetaRepo, NoLabels
from otel_meta.runtime import metrics
from otel_meta.testing import CapturedTelemetry, OtlpReceiver, capture

if TYPE_CHECKING:
    from tests.conftest import Eventually


class Atlas(MetaRepo, name="atlas-maps", owner="maps"):
    """Map tiles."""

    tiles = Counter("atlas.tiles", "Tiles.", NoLabels)
    memory = Gauge("atlas.memory", "Memory.", NoLabels)


def pushing(sink: OtlpReceiver, **settings: Any) -> Any:
    """Telemetry whose metrics alone are pushed."""
    exporters = {"metrics": "otlp", "traces": "none", "logs": "none"}
    return capture("maps", Atlas, otlp_endpoint=sink.endpoint, **exporters | settings)


def meter(captured: CapturedTelemetry) -> Meter:
    """What another library records through."""
    assert captured.telemetry.metrics is not None
    return captured.telemetry.metrics.provider.get_meter("library")


def values(sink: OtlpReceiver, name: str) -> list[float]:
    """What has been received of a sum or gauge, oldest first."""
    return [
        point.as_double if point.HasField("as_double") else point.as_int
        for metric in sink.metrics()
        if metric.name == name
        for point in (*metric.sum.data_points, *metric.gauge.data_points)
    ]


class TestPush:
    def test_interval(self, eventually: Eventually) -> None:
        """Metrics are pushed again and again, with the totals of the time."""
        with OtlpReceiver() as sink, pushing(sink, metric_interval=0.05) as captured:
            captured.bind(Atlas).tiles.add(1)
            eventually(lambda: 1.0 in values(sink, "atlas.tiles"))
            captured.bind(Atlas).tiles.add(1)
            eventually(lambda: 2.0 in values(sink, "atlas.tiles"))

            assert sorted(values(sink, "atlas.tiles")) == values(sink, "atlas.tiles")

    def test_last(self) -> None:
        """Shutting down pushes what has not been pushed."""
        with OtlpReceiver() as sink:
            with pushing(sink) as captured:
                captured.bind(Atlas).tiles.add(7)

            assert [7.0] == values(sink, "atlas.tiles")

    def test_up(self) -> None:
        """A process that records nothing says that it is there."""
        with OtlpReceiver() as sink:
            with pushing(sink) as captured:
                captured.telemetry.flush()

            assert {1.0} == set(values(sink, "otel_meta.up"))

    def test_together(self) -> None:
        """What other libraries record leaves in the same export."""
        with OtlpReceiver() as sink:
            with pushing(sink) as captured:
                meter(captured).create_counter("library.calls").add(3)
                captured.bind(Atlas).tiles.add(1)

            assert ([3], [1.0]) == (values(sink, "library.calls"), values(sink, "atlas.tiles"))

    def test_both(self) -> None:
        """Metrics may be pushed and scraped."""
        with OtlpReceiver() as sink:
            with pushing(sink, metrics=("otlp", "prometheus")) as captured:
                captured.bind(Atlas).tiles.add(2)
                text = captured.prometheus_text()

            assert [2.0] == values(sink, "atlas.tiles")
            assert 1 == text.count("\natlas_tiles_total{")

    def test_none(self) -> None:
        """Without an exporter there is nothing to scrape and nothing to push."""
        with capture(metrics="none") as captured:
            captured.bind(Atlas).tiles.add(1)

            assert captured.telemetry.scrape is None
            assert captured.telemetry.flush()
            assert 1.0 == captured.value(Atlas.tiles)

    def test_forbidden(self) -> None:
        """What does not get through is counted."""
        with OtlpReceiver(status=403) as sink, pushing(sink) as captured:
            captured.telemetry.flush()
            faults = captured.telemetry.faults

            assert {("export of metrics", "undelivered"): 1.0} == {
                cell.labels: cell.value for cell in faults.family.cells()
            }


class TestForeign:
    def test_mixed_numbers(self, eventually: Eventually) -> None:
        """A foreign instrument that cannot be added up does not end the export for good."""
        with OtlpReceiver() as sink, pushing(sink, metric_interval=0.05) as captured:
            counter: Any = meter(captured).create_counter("library.money")
            counter.add(Decimal("1.5"))
            eventually(lambda: values(sink, "library.money"))
            counter.add(0.5)  # at the next collection, the SDK adds one to the other
            eventually(captured.telemetry.faults.count)
            captured.bind(Atlas).tiles.add(1)
            eventually(lambda: values(sink, "atlas.tiles"))

            assert ("metrics export", "TypeError") in {
                cell.labels for cell in captured.telemetry.faults.family.cells()
            }

    def test_callback(self, caplog: pytest.LogCaptureFixture) -> None:
        """A foreign callback that raises takes nothing else out of the export."""

        def fail(_options: CallbackOptions) -> list[Observation]:
            raise ValueError("no")

        with OtlpReceiver() as sink:
            with (
                caplog.at_level(logging.CRITICAL, "opentelemetry"),
                pushing(sink, log_stream=None) as captured,
            ):
                meter(captured).create_observable_gauge("library.level", [fail])
                captured.bind(Atlas).tiles.add(1)

            assert [1.0] == values(sink, "atlas.tiles")


class Broken(MetricExporter):
    """Another package's exporter, which raises."""

    def export(self, *_: Any, **__: Any) -> MetricExportResult:
        """Fail."""
        raise RuntimeError("broken")

    def force_flush(self, *_: Any, **__: Any) -> bool:
        """Have nothing to flush."""
        return True

    def shutdown(self, *_: Any, **__: Any) -> None:
        """Have nothing to shut down."""


class TestBroken:
    def test_one_line(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """An exporter that raises each time is one line as well."""
        monkeypatch.setattr(metrics, "create_exporter", lambda *_: Broken())
        with capture("maps", metrics="console") as captured:
            for _ in range(3):
                captured.telemetry.flush()

        assert [("otel_meta", "warning")] == [(e["logger"], e["level"]) for e in captured.logs()]
