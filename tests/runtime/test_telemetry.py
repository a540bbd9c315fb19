from __future__ import annotations

import atexit
import gc
import time
import weakref
from contextlib import AbstractContextManager
from pathlib import Path
from threading import Event, Thread, active_count
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import trace

from otel_meta import Counter, MetaRepo, NoLabels, Slo, configure
from otel_meta.errors import ConfigurationError
from otel_meta.runtime.configure_options import Options
from otel_meta.runtime.multiprocess.directory import Directory
from otel_meta.testing import CapturedTelemetry, FakeClock, OtlpReceiver, capture
from tests.conftest import PATIENCE

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


def declare_shop(objective: str) -> Any:
    """Declare a meta-repository anew."""

    class Shop(MetaRepo, name="shop", owner="sales"):
        """Sales."""

        sales = Counter("shop.sales", "Sales.", NoLabels)
        refunds = Counter("shop.refunds", "Refunds.", NoLabels)
        kept = Slo(
            "shop-kept",
            objective=objective,
            period="30d",
            sli=sales.ratio(bad=refunds),
            why="A refund is work for nothing.",
        )

    return Shop


def unanswered(endpoint: str, shutdown_timeout: float) -> AbstractContextManager[CapturedTelemetry]:
    """Capture telemetry whose exporters get no answer, and give up after two seconds."""
    environ = {"OTEL_EXPORTER_OTLP_TIMEOUT": "2000"}
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

        assert ("at_risk", (2.0, 100.0)) == (status.state, status.events)

    @pytest.mark.parametrize("repo", ["Atlas", Atlas(), Atlas.tiles, MetaRepo])
    def test_binding_other_object_is_answered_with_fix(
        self, captured_telemetry: CapturedTelemetry, repo: Any
    ) -> None:
        """Binding anything but the class of a meta-repository is answered with the fix."""
        with pytest.raises(ConfigurationError, match=r"as in telemetry.bind\(Aurora\)$"):
            captured_telemetry.bind(repo)

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

    def test_slos_of_configured_meta_repository_are_tracked_once_without_and_with_bind(
        self,
    ) -> None:
        """The SLOs of the configured meta-repository are tracked once, without and with a bind."""
        with capture("maps", Atlas) as captured:
            (before,) = captured.telemetry.tracker.statuses()
            captured.bind(Atlas).tiles.add(100)
            (after,) = captured.telemetry.tracker.statuses()

        assert ("no_data", "ok") == (before.state, after.state)

    def test_equal_declarations_share_series_and_latest_slo_is_tracked(self) -> None:
        """Equal declarations share series, as of a module that is imported twice."""
        with capture("maps", declare_shop("99%")) as captured:
            shops = [captured.bind(declare_shop(objective)) for objective in ("99%", "99.9%")]
            for shop in shops:
                shop.sales.add(1)
            (status,) = captured.telemetry.tracker.statuses()

            assert ("99.9%", (0.0, 2.0)) == (str(status.slo.objective), status.events)
            assert 1 == captured.prometheus_text().count("\nshop_sales_total{")


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
            in_time = captured.telemetry.shutdown()  # True if a busy machine looks late

            assert time.monotonic() - began < 8
        (event,) = (line["event"] for line in captured.logs())
        end = "is shut down" if in_time else "did not finish within 0.3 s"

        assert event.startswith(f"telemetry {end}; cannot export")

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

    def test_drain_that_is_late_returns_false_and_warns_once_with_shutdown(
        self, black_hole: str
    ) -> None:
        """A drain that is late returns False, and warns once together with the shutdown."""
        with unanswered(black_hole, shutdown_timeout=0.2) as captured:
            began = time.monotonic()
            drained = captured.telemetry.drain()
            captured.telemetry.shutdown()
            seconds = time.monotonic() - began
        events = [line["event"] for line in captured.logs()]

        assert not drained
        assert seconds < 2
        assert 1 == sum("did not finish within 0.2 s" in event for event in events)

    def test_drain_in_time_returns_true(self) -> None:
        """A drain in time returns True."""
        with OtlpReceiver() as sink, capture(otlp_endpoint=sink.endpoint) as captured:
            assert captured.telemetry.drain()

    def test_held_directory_and_sample_under_way_and_collector_share_one_bound(
        self, black_hole: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A held directory, a sample under way and a hanging Collector share one bound."""
        monkeypatch.setattr("otel_meta.runtime.telemetry.INTERVAL", 0.001)
        sampling, finished = Event(), Event()
        environ = {"OTEL_META_MULTIPROCESS_DIR": str(tmp_path), "OTEL_EXPORTER_OTLP_TIMEOUT": "2"}
        with capture(otlp_endpoint=black_hole, shutdown_timeout=0.3, environ=environ) as captured:

            def sample() -> None:
                sampling.set()
                finished.wait(PATIENCE)

            monkeypatch.setattr(captured.telemetry.tracker, "sample", sample)
            captured.bind(Atlas).tiles.add(1)
            sampling.wait(PATIENCE)
            with Directory(tmp_path).try_locked():
                began = time.monotonic()
                captured.telemetry.shutdown()
                seconds = time.monotonic() - began
            finished.set()

        assert seconds < 2

    def test_held_directory_loses_nothing(self, tmp_path: Path) -> None:
        """A shutdown that cannot add its numbers to the totals in time loses nothing."""
        environ = {"OTEL_META_MULTIPROCESS_DIR": str(tmp_path)}
        with capture("maps", Atlas, shutdown_timeout=0.2, environ=environ) as captured:
            captured.bind(Atlas).tiles.add(1)
            with Directory(tmp_path).try_locked():
                in_time = captured.telemetry.shutdown()
        with capture("maps", Atlas, environ=environ) as captured:
            page = captured.prometheus_text()

        assert in_time
        assert [] == captured.logs()
        assert 'atlas_tiles_total{service_name="maps",service_namespace="atlas-maps"} 1.0' in page

    def test_nothing_of_telemetry_is_kept_after_shutdown(self) -> None:
        """Nothing of a telemetry is kept after its shutdown, whether global or captured."""
        tracer, kept = trace.get_tracer("library"), []
        callbacks, threads = atexit._ncallbacks(), active_count()
        for _ in range(5):
            with configure("maps", Atlas, log_stream=None, environ={}) as telemetry:
                telemetry.bind(Atlas).tiles.add(1)
                tracer.start_span("span").end()
                assert telemetry.scrape is not None
                kept.append(weakref.ref(telemetry))
            with capture("maps", Atlas) as captured:
                captured.prometheus_text()
                kept.append(weakref.ref(captured.telemetry))
        del telemetry, captured
        gc.collect()

        assert [None] * 10 == [each() for each in kept]
        assert callbacks == atexit._ncallbacks()
        assert threads >= active_count()

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
