from __future__ import annotations

import logging
import os
from decimal import Decimal
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.metrics import CallbackOptions, Meter, Observation
from opentelemetry.sdk.metrics.export import (
    MetricExporter,
    MetricExportResult,
    MetricsData,
    NumberDataPoint,
)

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
    """Capture telemetry that pushes metrics alone."""
    exporters = {"metrics": "otlp", "traces": "none", "logs": "none"}
    return capture("maps", Atlas, otlp_endpoint=sink.endpoint, **exporters | settings)


def meter(captured: CapturedTelemetry) -> Meter:
    """Return a meter as another library gets one."""
    assert captured.telemetry.metrics is not None
    return captured.telemetry.metrics.provider.get_meter("library")


def values(sink: OtlpReceiver, name: str) -> list[float]:
    """Return the received values of a sum or gauge, oldest first."""
    return [
        point.as_double if point.HasField("as_double") else point.as_int
        for metric in sink.metrics()
        if metric.name == name
        for point in (*metric.sum.data_points, *metric.gauge.data_points)
    ]


class TestPush:
    def test_metrics_are_pushed_at_every_interval_with_their_current_totals(
        self, eventually: Eventually
    ) -> None:
        """Metrics are pushed at every interval with their current totals."""
        with OtlpReceiver() as sink, pushing(sink, metric_interval=0.05) as captured:
            captured.bind(Atlas).tiles.add(1)
            eventually(lambda: 1.0 in values(sink, "atlas.tiles"))
            captured.bind(Atlas).tiles.add(1)
            eventually(lambda: 2.0 in values(sink, "atlas.tiles"))

            assert sorted(values(sink, "atlas.tiles")) == values(sink, "atlas.tiles")

    def test_shutting_down_pushes_latest_values(self) -> None:
        """Shutting down pushes the latest values."""
        with OtlpReceiver() as sink:
            with pushing(sink) as captured:
                captured.bind(Atlas).tiles.add(7)

            assert [7.0] == values(sink, "atlas.tiles")

    def test_process_that_records_nothing_pushes_otel_meta_up(self) -> None:
        """A process that records nothing pushes otel_meta.up."""
        with OtlpReceiver() as sink:
            with pushing(sink) as captured:
                captured.telemetry.flush()

            assert {1.0} == set(values(sink, "otel_meta.up"))

    def test_metrics_of_other_libraries_are_in_same_export(self) -> None:
        """Metrics of other libraries are in the same export."""
        with OtlpReceiver() as sink:
            with pushing(sink) as captured:
                meter(captured).create_counter("library.calls").add(3)
                captured.bind(Atlas).tiles.add(1)

            assert ([3], [1.0]) == (values(sink, "library.calls"), values(sink, "atlas.tiles"))

    def test_metrics_may_be_pushed_and_scraped_at_same_time(self) -> None:
        """Metrics may be pushed and scraped at the same time."""
        with OtlpReceiver() as sink:
            with pushing(sink, metrics=("otlp", "prometheus")) as captured:
                captured.bind(Atlas).tiles.add(2)
                text = captured.prometheus_text()

            assert [2.0] == values(sink, "atlas.tiles")
            assert 1 == text.count("\natlas_tiles_total{")

    def test_without_exporter_metrics_are_neither_scraped_nor_pushed(self) -> None:
        """Without an exporter metrics are neither scraped nor pushed."""
        with capture(metrics="none") as captured:
            captured.bind(Atlas).tiles.add(1)

            assert captured.telemetry.scrape is None
            assert captured.telemetry.flush()
            assert 1.0 == captured.value(Atlas.tiles)

    def test_shutdown_without_time_shuts_exporters_down_without_fault(self) -> None:
        """A shutdown after a drain that took all the time is no fault, and ends the exporters."""
        with OtlpReceiver() as sink, pushing(sink) as captured:
            assert captured.telemetry.metrics is not None
            captured.telemetry.metrics.shutdown(0)

            assert 0 == captured.telemetry.faults.count()
            assert [] == sink.metrics()

    def test_refused_export_is_counted(self) -> None:
        """A refused export is counted."""
        with OtlpReceiver(status=403) as sink, pushing(sink) as captured:
            captured.telemetry.flush()
            faults = captured.telemetry.faults

            assert {("export of metrics", "undelivered"): 1.0} == {
                cell.labels: cell.value for cell in faults.family.cells()
            }


DELTA = {"OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE": "delta"}


class TestDelta:
    def test_counts_of_failed_exports_arrive_with_next_export(self) -> None:
        """With delta temporality, the counts of failed exports arrive with the next export."""
        with OtlpReceiver() as sink, pushing(sink, environ=DELTA) as captured:
            for status in (200, 400, 400, 200):
                sink.status = status
                captured.bind(Atlas).tiles.add(100)
                captured.telemetry.flush()

            assert [100.0, 300.0] == values(sink, "atlas.tiles")
            assert 2.0 == captured.telemetry.faults.count()

    def test_deltas_of_other_libraries_that_are_lost_are_counted(self) -> None:
        """Each delta of another library that a failed export loses is counted."""
        with OtlpReceiver(status=400) as sink, pushing(sink, environ=DELTA) as captured:
            for number in range(3):
                meter(captured).create_counter("library.calls").add(1, {"number": number})
            captured.telemetry.flush()

            assert 3.0 == captured.telemetry.faults.count()

    def test_export_during_export_begins_where_that_one_ends(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A delta that is asked for during an export begins where this export ends."""
        exporter = Stuck(os.getpid())
        monkeypatch.setattr(metrics, "create_exporter", lambda *_: exporter)
        with capture("maps", Atlas, metrics="otlp", traces="none", environ=DELTA) as captured:
            pushes = captured.telemetry.metrics
            assert pushes is not None
            captured.bind(Atlas).tiles.add(5)
            threads = [Thread(target=pushes.flush, args=(20,)) for _ in range(2)]
            threads[0].start()
            exporter.entered.wait(20)
            captured.bind(Atlas).tiles.add(2)
            threads[1].start()
            threads[1].join(0.1)  # long enough for a delta that begins too early
            exporter.release.set()
            for thread in threads:
                thread.join()

        assert [5.0, 2.0] == exporter.values("atlas.tiles")


class Stuck(MetricExporter):
    """An exporter that waits for an event, except in a forked child."""

    def __init__(self, parent: int) -> None:
        super().__init__()
        self.entered, self.release = Event(), Event()
        self._parent = parent
        self._exported: list[MetricsData] = []

    def values(self, name: str) -> list[float]:
        """Return the exported values of a metric, oldest first."""
        return [
            point.value
            for export in self._exported
            for resource in export.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
            if metric.name == name
            for point in metric.data.data_points
            if isinstance(point, NumberDataPoint)
        ]

    def export(self, metrics_data: MetricsData, *_: Any, **__: Any) -> MetricExportResult:
        """Wait in the parent, succeed in the child."""
        self._exported.append(metrics_data)
        if os.getpid() == self._parent:
            self.entered.set()
            self.release.wait(20)
        return MetricExportResult.SUCCESS

    def force_flush(self, *_: Any, **__: Any) -> bool:
        """Return True: nothing is buffered."""
        return True

    def shutdown(self, *_: Any, **__: Any) -> None:
        """Do nothing."""


class TestFork:
    def test_child_that_is_forked_during_export_of_its_parent_can(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A child that is forked during an export of its parent can export."""
        exporter = Stuck(os.getpid())
        monkeypatch.setattr(metrics, "create_exporter", lambda *_: exporter)
        with capture("maps", metrics="console", traces="none") as captured:
            flushing = Thread(target=captured.telemetry.flush)
            flushing.start()
            exporter.entered.wait(20)
            if (child := os.fork()) == 0:
                os._exit(0 if captured.telemetry.flush(5) else 1)
            code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            exporter.release.set()
            flushing.join()

        assert 0 == code


class TestForeign:
    def test_aggregation_that_raises_does_not_stop_later_exports(
        self, eventually: Eventually
    ) -> None:
        """An aggregation that raises does not stop later exports."""
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

    def test_callback_that_raises_does_not_affect_other_metrics(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        """A callback that raises does not affect other metrics."""

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
    """An exporter of another package that raises."""

    def export(self, *_: Any, **__: Any) -> MetricExportResult:
        """Raise an error."""
        raise RuntimeError("broken")

    def force_flush(self, *_: Any, **__: Any) -> bool:
        """Return True: nothing is buffered."""
        return True

    def shutdown(self, *_: Any, **__: Any) -> None:
        """Do nothing."""


class TestBroken:
    def test_exporter_that_always_raises_causes_one_line_and_one_at_shutdown(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """An exporter that always raises causes one log line, and one at the shutdown."""
        monkeypatch.setattr(metrics, "create_exporter", lambda *_: Broken())
        with capture("maps", metrics="console") as captured:
            for _ in range(3):
                captured.telemetry.flush()

        first, last = (line["event"] for line in captured.logs())
        assert first.startswith("cannot export metrics: RuntimeError: broken; ")
        assert "telemetry is shut down; cannot export metrics: RuntimeError: broken; " in last
