from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from typing import Literal

import pytest
import structlog
from opentelemetry import metrics, trace

from otel_meta import (
    Counter,
    Gauge,
    Histogram,
    MetaRepo,
    NoLabels,
    Slo,
    Telemetry,
    configure,
    labels,
)
from otel_meta.testing import CapturedTelemetry, capture


@labels
class Tile:
    style: str
    kind: Literal["vector", "raster"] = "vector"


class Atlas(MetaRepo, name="atlas-maps", owner="maps"):
    """Map tiles."""

    tiles = Counter("atlas.tiles", "Tiles.", Tile)
    memory = Gauge("atlas.memory", "Memory.", Tile)
    drawing = Histogram("atlas.drawing", "Time to draw.", Tile, buckets=(1,))
    visits = Counter("atlas.visits", "Visits.", NoLabels)
    vectors = Slo(
        "atlas-vectors",
        objective="99%",
        period="7d",
        sli=tiles.ratio(bad=tiles.where(kind="raster")),
        why="Maps are blurred.",
    )


@pytest.fixture
def atlas(captured_telemetry: CapturedTelemetry) -> Atlas:
    """Map tiles with live instruments."""
    return captured_telemetry.bind(Atlas)


class TestValue:
    def test_value_of_counter_is_its_sum_over_labels(
        self, captured_telemetry: CapturedTelemetry, atlas: Atlas
    ) -> None:
        """The value of a counter is its sum over labels that are not given."""
        atlas.tiles.add(1, style="dark")
        atlas.tiles.add(2, style="dark", kind="raster")
        atlas.tiles.add(4, style="light")

        assert 7.0 == captured_telemetry.value(Atlas.tiles)
        assert 3.0 == captured_telemetry.value(Atlas.tiles, style="dark")
        assert 2.0 == captured_telemetry.value(Atlas.tiles, style="dark", kind="raster")

    def test_value_of_gauge_is_its_latest_value(
        self, captured_telemetry: CapturedTelemetry, atlas: Atlas
    ) -> None:
        """The value of a gauge is its latest value."""
        atlas.memory.set(1, style="dark")
        atlas.memory.set(2, style="dark")

        assert 2.0 == captured_telemetry.value(Atlas.memory, style="dark")

    def test_value_of_histogram_is_its_count(
        self, captured_telemetry: CapturedTelemetry, atlas: Atlas
    ) -> None:
        """The value of a histogram is its count."""
        atlas.drawing.record(0.5, style="dark")
        atlas.drawing.record(5, style="dark")

        assert 2 == captured_telemetry.value(Atlas.drawing)

    def test_value_of_missing_series_is_none(
        self, captured_telemetry: CapturedTelemetry, atlas: Atlas
    ) -> None:
        """The value of a missing series is None."""
        atlas.memory.set(1, style="dark")

        assert captured_telemetry.value(Atlas.memory, style="light") is None
        assert captured_telemetry.value(Atlas.drawing) is None

    def test_value_of_counter_without_labels_is_zero_at_start(
        self, captured_telemetry: CapturedTelemetry, atlas: Atlas
    ) -> None:
        """The value of a counter without labels is zero at the start."""
        assert 0.0 == captured_telemetry.value(Atlas.visits)

    def test_unknown_label_matches_no_series(self, captured_telemetry: CapturedTelemetry) -> None:
        """An unknown label matches no series."""
        assert captured_telemetry.value(Atlas.visits, ruote="/") is None


class TestSloEvents:
    def test_events_of_an_slo_are_its_bad_and_total_events(
        self, captured_telemetry: CapturedTelemetry, atlas: Atlas
    ) -> None:
        """The events of an SLO are its bad and its total events."""
        atlas.tiles.add(3, style="dark")
        atlas.tiles.add(1, style="dark", kind="raster")

        assert (1, 4) == captured_telemetry.slo_events(Atlas.vectors)

    def test_slo_that_is_not_bound_is_keyerror(self, captured_telemetry: CapturedTelemetry) -> None:
        """An SLO of a meta-repository that is not bound is a KeyError."""
        with pytest.raises(KeyError, match="atlas-vectors"):
            captured_telemetry.slo_events(Atlas.vectors)


class TestApplication:
    """Telemetry that the test has not configured."""

    @pytest.fixture
    def telemetry(self) -> Iterator[Telemetry]:
        """Telemetry of an application."""
        with configure("maps", Atlas, set_global=False, environ={}, log_stream=None) as telemetry:
            yield telemetry

    def test_sums_start_at_zero_and_gauges_keep_their_value(self, telemetry: Telemetry) -> None:
        """Sums and counts start at zero, and a gauge keeps its latest value."""
        atlas = telemetry.bind(Atlas)
        atlas.visits.add(5)
        atlas.drawing.record(1, style="dark")
        atlas.memory.set(7, style="dark")
        with capture(telemetry) as captured:
            atlas.visits.add(2)

            assert (2, 0, 7) == (
                captured.value(Atlas.visits),
                captured.value(Atlas.drawing),
                captured.value(Atlas.memory),
            )

    def test_series_removed_and_recorded_again_counts_from_its_new_start(
        self, telemetry: Telemetry
    ) -> None:
        """A series that is removed and recorded again counts from its new start."""
        atlas = telemetry.bind(Atlas)
        atlas.visits.add(5)
        with capture(telemetry) as captured:
            atlas.visits.remove()
            atlas.visits.add(2)

            assert 2 == captured.value(Atlas.visits)

    def test_spans_of_the_block_alone_are_captured(self, telemetry: Telemetry) -> None:
        """Spans of the block alone are captured, in each of several blocks."""
        assert telemetry.traces is not None
        tracer = telemetry.traces.provider.get_tracer("test")
        seen = []
        for name in ("first", "second"):
            with capture(telemetry) as captured:
                tracer.start_span(name).end()
            tracer.start_span("between").end()
            seen.append([span.name for span in captured.spans()])

        assert [["first"], ["second"]] == seen

    def test_fixture_follows_telemetry_that_is_configured_in_the_test(
        self, captured_telemetry: CapturedTelemetry
    ) -> None:
        """The fixture follows telemetry that is configured in the test, and keeps the values."""
        captured_telemetry.bind(Atlas).visits.add(1)
        with configure("late", Atlas, set_global=False, environ={}, log_stream=None) as telemetry:
            telemetry.bind(Atlas).visits.add(2)

            assert telemetry is captured_telemetry.telemetry
            assert 3 == captured_telemetry.value(Atlas.visits)

    def test_captured_values_are_readable_after_shutdown(
        self, captured_telemetry: CapturedTelemetry, telemetry: Telemetry
    ) -> None:
        """Captured values are readable after the shutdown of the application's telemetry."""
        telemetry.bind(Atlas).visits.add(2)
        telemetry.shutdown()

        assert 2 == captured_telemetry.value(Atlas.visits)


class TestOutput:
    def test_ended_spans_are_returned_oldest_first(
        self, captured_telemetry: CapturedTelemetry
    ) -> None:
        """Ended spans are returned, oldest first."""
        assert captured_telemetry.telemetry.traces is not None
        tracer = captured_telemetry.telemetry.traces.provider.get_tracer("test")
        with tracer.start_as_current_span("outer"), tracer.start_as_current_span("inner"):
            pass

        assert ["inner", "outer"] == [span.name for span in captured_telemetry.spans()]

    def test_log_lines_of_any_logger_are_returned_as_dictionaries(
        self, captured_telemetry: CapturedTelemetry
    ) -> None:
        """Log lines of any logger are returned as dictionaries."""
        structlog.get_logger("a").info("said", number=7)
        logging.getLogger("b").warning("said")

        assert [("a", 7), ("b", None)] == [
            (line["logger"], line.get("number")) for line in captured_telemetry.logs()
        ]

    def test_response_to_scrape_is_in_accepted_format(
        self, captured_telemetry: CapturedTelemetry, atlas: Atlas
    ) -> None:
        """The response to a scrape is in the accepted format."""
        atlas.visits.add(3)

        assert "\natlas_visits_total{" in captured_telemetry.prometheus_text()
        assert "# EOF" in captured_telemetry.prometheus_text("application/openmetrics-text")

    def test_without_export_to_prometheus_text_is_empty(self) -> None:
        """Without export to Prometheus the text is empty."""
        with capture(metrics="none") as captured:
            assert "" == captured.prometheus_text()


class TestIsolation:
    def test_captures_after_each_other_are_independent(self) -> None:
        """Captures after each other are independent."""
        for _ in range(2):
            with capture("maps", Atlas) as captured:
                captured.bind(Atlas).visits.add(1)

                assert 1.0 == captured.value(Atlas.visits)

    def test_global_providers_environment_and_logging_are_unchanged(self) -> None:
        """Global providers, environment and logging are unchanged."""
        before = (
            trace.get_tracer_provider(),
            metrics.get_meter_provider(),
            dict(os.environ),
            list(logging.getLogger().handlers),
        )
        with capture():
            pass

        assert before == (
            trace.get_tracer_provider(),
            metrics.get_meter_provider(),
            dict(os.environ),
            list(logging.getLogger().handlers),
        )

    def test_variables_of_environment_are_ignored(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Variables of the environment are ignored."""
        monkeypatch.setenv("OTEL_SERVICE_NAME", "outside")
        monkeypatch.setenv("OTEL_METRICS_EXPORTER", "none")
        with capture("maps") as captured:
            assert "maps" == captured.telemetry.settings.service_name
            assert captured.prometheus_text()

    def test_variables_of_the_sdk(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """OTEL_SDK_DISABLED is ignored."""
        monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
        with capture() as captured:
            assert captured.telemetry.traces is not None
            captured.telemetry.traces.provider.get_tracer("test").start_span("span").end()

        assert 1 == len(captured.spans())

    def test_further_arguments_are_passed_to_configure(self) -> None:
        """Further arguments are passed to configure()."""
        with capture(log_level="error", namespace="acme") as captured:
            structlog.get_logger("a").warning("quiet")

        assert [] == captured.logs()
        assert "acme" == captured.telemetry.settings.namespace

    def test_exception_shuts_telemetry_down(self) -> None:
        """An exception shuts telemetry down."""
        before = list(logging.getLogger().handlers)

        def fail() -> None:
            with capture():
                raise ValueError("no")

        with pytest.raises(ValueError, match="no"):
            fail()
        assert before == list(logging.getLogger().handlers)


class TestClock:
    def test_clock_is_set_by_hand(self) -> None:
        """The clock is set by hand."""
        with capture() as captured:
            before = captured.clock()
            captured.clock.advance(90)

            assert 90 == captured.clock() - before
