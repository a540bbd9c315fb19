from __future__ import annotations

import time
from contextlib import AbstractContextManager
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from otel_meta import Counter, MetaRepo, NoLabels, Slo, configure
from otel_meta.runtime.options import Options
from otel_meta.testing import CapturedTelemetry, FakeClock, OtlpReceiver, capture

if TYPE_CHECKING:
    from tests.conftest import Eventually


class Atlas(MetaRepo, name="atlas-maps", owner="maps"):
    """Map tiles."""

    tiles = Counter("atlas.tiles", "Tiles.", NoLabels)
    holes = Counter("atlas.holes", "Tiles that are missing.", NoLabels)
    completeness = Slo(
        "atlas-completeness",
        objective="99%",
        period="30d",
        sli=tiles.ratio(bad=holes),
        why="A map with holes misleads.",
    )


def unanswered(endpoint: str, shutdown_timeout: float) -> AbstractContextManager[CapturedTelemetry]:
    """Capture telemetry whose exporters get no answer, and give up after two seconds."""
    environ = {"OTEL_EXPORTER_OTLP_TIMEOUT": "2"}
    return capture(otlp_endpoint=endpoint, shutdown_timeout=shutdown_timeout, environ=environ)


class TestBind:
    def test_binding_meta_repository_makes_it_record_and_tracks_its_slos(
        self, captured_telemetry: CapturedTelemetry
    ) -> None:
        """Binding a meta-repository makes it record, and tracks its SLOs."""
        atlas = captured_telemetry.bind(Atlas)
        atlas.tiles.add(100)
        atlas.holes.add(2)
        (status,) = captured_telemetry.telemetry.tracker.statuses()

        assert ("breached", (2.0, 100.0)) == (status.state, status.events)

    def test_binding_meta_repository_of_another_namespace_causes_warning(self) -> None:
        """Binding a meta-repository of another namespace causes a warning."""
        with capture(namespace="other") as captured:
            captured.bind(Atlas)

        (line,) = captured.logs()
        assert "warning" == line["level"]
        assert "bind(Atlas): this service belongs to other" in line["event"]

    @pytest.mark.parametrize("namespace", [None, "atlas-maps"])
    def test_binding_services_own_meta_repository_causes_no_warning(
        self, namespace: str | None
    ) -> None:
        """Binding the service's own meta-repository causes no warning."""
        with capture(namespace=namespace) as captured:
            captured.bind(Atlas)

        assert [] == captured.logs()


class TestFlush:
    def test_flush_that_finishes_in_time_returns_true(self) -> None:
        """A flush that finishes in time returns True."""
        with OtlpReceiver() as sink, capture("maps", otlp_endpoint=sink.endpoint) as captured:
            captured.bind(Atlas).tiles.add(1)

            assert captured.telemetry.flush()
            assert sink.metrics()

    def test_flush_ends_at_its_timeout_and_returns_false(self, black_hole: str) -> None:
        """A flush ends at its timeout and returns False."""
        with unanswered(black_hole, shutdown_timeout=0.2) as captured:
            began = time.monotonic()
            in_time = captured.telemetry.flush(0.2)

        assert not in_time
        assert time.monotonic() - began < 8

    def test_flush_whose_exports_fail_returns_true_and_counts_faults(self) -> None:
        """A flush whose exports fail returns True, and counts faults."""
        with OtlpReceiver(status=400) as sink, capture(otlp_endpoint=sink.endpoint) as captured:
            assert captured.telemetry.flush()
            assert captured.telemetry.faults.count() >= 1


class TestShutdown:
    def test_second_shutdown_exports_nothing(self) -> None:
        """A second shutdown exports nothing."""
        with OtlpReceiver() as sink:
            with capture(otlp_endpoint=sink.endpoint) as captured:
                assert captured.telemetry.shutdown()
                exported = len(sink.metrics())

                assert captured.telemetry.shutdown()
            assert exported == len(sink.metrics())

    def test_concurrent_shutdowns_export_once(self) -> None:
        """Concurrent shutdowns export once."""
        with OtlpReceiver() as sink, capture("maps", otlp_endpoint=sink.endpoint) as captured:
            captured.bind(Atlas).tiles.add(1)
            threads = [Thread(target=captured.telemetry.shutdown) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()

            assert 1 == sum(metric.name == "atlas.tiles" for metric in sink.metrics())

    def test_shutdown_ends_at_its_timeout_with_warning(self, black_hole: str) -> None:
        """A shutdown ends at its timeout with a warning."""
        with unanswered(black_hole, shutdown_timeout=0.3) as captured:
            began = time.monotonic()

            assert not captured.telemetry.shutdown()
            assert time.monotonic() - began < 8
        (event,) = (line["event"] for line in captured.logs())

        assert event.startswith("telemetry did not finish within 0.3 s; cannot export")

    def test_recording_after_shutdown_does_not_raise(self) -> None:
        """Recording after a shutdown does not raise."""
        with capture("maps", Atlas) as captured:
            atlas = captured.bind(Atlas)
        atlas.tiles.add(1)

        assert 1.0 == captured.value(Atlas.tiles)

    def test_time_of_draining_is_deducted_from_shutdown_timeout(self, black_hole: str) -> None:
        """The time of draining is deducted from the shutdown timeout."""
        with unanswered(black_hole, shutdown_timeout=1.5) as captured:
            captured.telemetry.drain()
            drained = time.monotonic()
            captured.telemetry.shutdown()

            assert time.monotonic() - drained < 1

    def test_error_that_leaves_context_shuts_down_and_is_raised(self) -> None:
        """An error that leaves the context shuts down, and is raised."""
        options: Options = {"set_global": False, "log_stream": None, "environ": {}}

        def work(endpoint: str) -> None:
            options["otlp_endpoint"] = endpoint
            with configure("a", **options) as telemetry:
                telemetry.bind(Atlas).tiles.add(1)
                raise ValueError("work")

        with OtlpReceiver() as sink:
            with pytest.raises(ValueError, match="work"):
                work(sink.endpoint)

            assert "atlas.tiles" in {metric.name for metric in sink.metrics()}


class TestTracking:
    def test_slos_are_sampled_at_interval(
        self, monkeypatch: pytest.MonkeyPatch, eventually: Eventually
    ) -> None:
        """SLOs are sampled at an interval."""
        monkeypatch.setattr("otel_meta.runtime.telemetry.INTERVAL", 0.01)
        clock = FakeClock()
        with capture("maps", Atlas, clock=clock) as captured:
            atlas = captured.bind(Atlas)
            atlas.tiles.add(100)
            tracker = captured.telemetry.tracker

            def has_no_recent_events() -> bool:
                clock.advance(301)
                return tracker.status(Atlas.completeness).burn_rates["5m"] is None

            eventually(has_no_recent_events)


class TestDisabled:
    def test_disabled_sdk_records_without_scrape_traces_or_metrics(self) -> None:
        """A disabled SDK records without scrape, traces or metrics."""
        with capture("maps", Atlas, environ={"OTEL_SDK_DISABLED": "true"}) as captured:
            atlas = captured.bind(Atlas)
            atlas.tiles.add(1)
            telemetry = captured.telemetry

            assert (None, None, None) == (telemetry.scrape, telemetry.traces, telemetry.metrics)
            assert telemetry.flush()
            assert 1.0 == captured.value(Atlas.tiles)
