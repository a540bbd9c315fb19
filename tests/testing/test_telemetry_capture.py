from __future__ import annotations

import logging
import os
from typing import Literal

import pytest
import structlog
from opentelemetry import metrics, trace

from otel_meta import Counter, Gauge, Histogram, MetaRepo, NoLabels, labels
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


@pytest.fixture
def atlas(captured_telemetry: CapturedTelemetry) -> Atlas:
    """Map tiles, live."""
    return captured_telemetry.bind(Atlas)


class TestValue:
    def test_sum(self, captured_telemetry: CapturedTelemetry, atlas: Atlas) -> None:
        """A counter shows its sum, over the labels that are left out."""
        atlas.tiles.add(1, style="dark")
        atlas.tiles.add(2, style="dark", kind="raster")
        atlas.tiles.add(4, style="light")

        assert 7.0 == captured_telemetry.value(Atlas.tiles)
        assert 3.0 == captured_telemetry.value(Atlas.tiles, style="dark")
        assert 2.0 == captured_telemetry.value(Atlas.tiles, style="dark", kind="raster")

    def test_latest(self, captured_telemetry: CapturedTelemetry, atlas: Atlas) -> None:
        """A gauge shows its latest value."""
        atlas.memory.set(1, style="dark")
        atlas.memory.set(2, style="dark")

        assert 2.0 == captured_telemetry.value(Atlas.memory, style="dark")

    def test_count(self, captured_telemetry: CapturedTelemetry, atlas: Atlas) -> None:
        """A histogram shows how many values it has."""
        atlas.drawing.record(0.5, style="dark")
        atlas.drawing.record(5, style="dark")

        assert 2 == captured_telemetry.value(Atlas.drawing)

    def test_none(self, captured_telemetry: CapturedTelemetry, atlas: Atlas) -> None:
        """A series that there is not shows nothing, which is not zero."""
        atlas.memory.set(1, style="dark")

        assert captured_telemetry.value(Atlas.memory, style="light") is None
        assert captured_telemetry.value(Atlas.drawing) is None

    def test_zero(self, captured_telemetry: CapturedTelemetry, atlas: Atlas) -> None:
        """A counter that is there from the start shows zero."""
        assert 0.0 == captured_telemetry.value(Atlas.visits)

    def test_misspelt(self, captured_telemetry: CapturedTelemetry) -> None:
        """A label that there is not finds nothing."""
        assert captured_telemetry.value(Atlas.visits, ruote="/") is None


class TestOutput:
    def test_spans(self, captured_telemetry: CapturedTelemetry) -> None:
        """Spans that have ended come out, oldest first."""
        assert captured_telemetry.telemetry.traces is not None
        tracer = captured_telemetry.telemetry.traces.provider.get_tracer("test")
        with tracer.start_as_current_span("outer"), tracer.start_as_current_span("inner"):
            pass

        assert ["inner", "outer"] == [span.name for span in captured_telemetry.spans()]

    def test_logs(self, captured_telemetry: CapturedTelemetry) -> None:
        """Log lines come out as what they hold, whoever logs."""
        structlog.get_logger("a").info("said", number=7)
        logging.getLogger("b").warning("said")

        assert [("a", 7), ("b", None)] == [
            (line["logger"], line.get("number")) for line in captured_telemetry.logs()
        ]

    def test_prometheus(self, captured_telemetry: CapturedTelemetry, atlas: Atlas) -> None:
        """A scrape can be looked at, in the format that is asked for."""
        atlas.visits.add(3)

        assert "\natlas_visits_total{" in captured_telemetry.prometheus_text()
        assert "# EOF" in captured_telemetry.prometheus_text("application/openmetrics-text")

    def test_no_prometheus(self) -> None:
        """Without Prometheus there is nothing to look at."""
        with capture(metrics="none") as captured:
            assert "" == captured.prometheus_text()


class TestIsolation:
    def test_apart(self) -> None:
        """One capture after the other starts anew."""
        for _ in range(2):
            with capture("maps", Atlas) as captured:
                captured.bind(Atlas).visits.add(1)

                assert 1.0 == captured.value(Atlas.visits)

    def test_process(self) -> None:
        """The process' providers, environment and logging stay as they are."""
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

    def test_variables(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """What the environment says about telemetry does not matter."""
        monkeypatch.setenv("OTEL_SERVICE_NAME", "outside")
        monkeypatch.setenv("OTEL_METRICS_EXPORTER", "none")
        with capture("maps") as captured:
            assert "maps" == captured.telemetry.settings.service_name
            assert captured.prometheus_text()

    @pytest.mark.xfail(
        strict=True, reason="the SDK reads the variable itself, whatever it is given"
    )
    def test_variables_of_the_sdk(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Not even that it is off."""
        monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
        with capture() as captured:
            assert captured.telemetry.traces is not None
            captured.telemetry.traces.provider.get_tracer("test").start_span("span").end()

        assert 1 == len(captured.spans())

    def test_settings(self) -> None:
        """Settings are those of configure()."""
        with capture(log_level="error", namespace="acme") as captured:
            structlog.get_logger("a").warning("quiet")

        assert [] == captured.logs()
        assert "acme" == captured.telemetry.settings.namespace

    def test_raises(self) -> None:
        """A test that fails shuts its telemetry down all the same."""
        before = list(logging.getLogger().handlers)

        def fail() -> None:
            with capture():
                raise ValueError("no")

        with pytest.raises(ValueError, match="no"):
            fail()
        assert before == list(logging.getLogger().handlers)


class TestClock:
    def test_turned(self) -> None:
        """Time is turned by hand."""
        with capture() as captured:
            before = captured.clock()
            captured.clock.advance(90)

            assert 90 == captured.clock() - before
