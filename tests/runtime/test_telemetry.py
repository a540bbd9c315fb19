from __future__ import annotations

import time
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest

from otel_meta import Counter, MetaRepo, NoLabels, Slo, Telemetry, configure
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


class TestBind:
    def test_tracked(self, captured_telemetry: CapturedTelemetry) -> None:
        """What is bound records, and its SLOs are kept count of."""
        atlas = captured_telemetry.bind(Atlas)
        atlas.tiles.add(100)
        atlas.holes.add(2)
        (status,) = captured_telemetry.telemetry.tracker.statuses()

        assert ("breached", (2.0, 100.0)) == (status.state, status.events)

    def test_other_repo(self) -> None:
        """Binding what the service does not belong to is warned of."""
        with capture(namespace="other") as captured:
            captured.bind(Atlas)

        (line,) = captured.logs()
        assert "warning" == line["level"]
        assert "bind(Atlas): this service belongs to other" in line["event"]

    @pytest.mark.parametrize("namespace", [None, "atlas-maps"])
    def test_own_repo(self, namespace: str | None) -> None:
        """Binding its own, or any if it belongs to none, is not."""
        with capture(namespace=namespace) as captured:
            captured.bind(Atlas)

        assert [] == captured.logs()


class TestFlush:
    def test_in_time(self) -> None:
        """A flush that is done in time says so."""
        with OtlpReceiver() as sink, capture("maps", otlp_endpoint=sink.endpoint) as captured:
            captured.bind(Atlas).tiles.add(1)

            assert captured.telemetry.flush()
            assert sink.metrics()

    def test_late(self, black_hole: str) -> None:
        """A flush takes no longer than it may, and says that it was not done."""
        with capture(otlp_endpoint=black_hole, shutdown_timeout=0.2) as captured:
            began = time.monotonic()
            in_time = captured.telemetry.flush(0.2)

        assert not in_time
        assert time.monotonic() - began < 8

    def test_undelivered(self) -> None:
        """A flush that is not delivered is done all the same, and counted as a fault."""
        with OtlpReceiver(status=400) as sink, capture(otlp_endpoint=sink.endpoint) as captured:
            assert captured.telemetry.flush()
            assert captured.telemetry.faults.count() >= 1


class TestShutdown:
    def test_once(self) -> None:
        """A second shutdown does nothing."""
        with OtlpReceiver() as sink:
            with capture(otlp_endpoint=sink.endpoint) as captured:
                assert captured.telemetry.shutdown()
                exported = len(sink.metrics())

                assert captured.telemetry.shutdown()
            assert exported == len(sink.metrics())

    def test_threads(self) -> None:
        """Shut down from two threads at once, it is shut down once."""
        with OtlpReceiver() as sink, capture("maps", otlp_endpoint=sink.endpoint) as captured:
            captured.bind(Atlas).tiles.add(1)
            threads = [Thread(target=captured.telemetry.shutdown) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()

            assert 1 == sum(metric.name == "atlas.tiles" for metric in sink.metrics())

    def test_late(self, black_hole: str) -> None:
        """A shutdown takes no longer than it may, and warns of what is lost."""
        with capture(otlp_endpoint=black_hole, shutdown_timeout=0.3) as captured:
            began = time.monotonic()

            assert not captured.telemetry.shutdown()
            assert time.monotonic() - began < 8
        events = [line["event"] for line in captured.logs()]

        assert 1 == events.count(
            "telemetry did not finish within 0.3 s of shutdown; the rest is lost"
        )

    def test_recording(self) -> None:
        """Recording after a shutdown raises nothing."""
        with capture("maps", Atlas) as captured:
            atlas = captured.bind(Atlas)
        atlas.tiles.add(1)

        assert 1.0 == captured.value(Atlas.tiles)

    def test_drained(self, black_hole: str) -> None:
        """The time that draining took is no longer there for the shutdown."""
        with capture(otlp_endpoint=black_hole, shutdown_timeout=2) as captured:
            captured.telemetry.drain()
            began = time.monotonic()
            captured.telemetry.shutdown()

        assert time.monotonic() - began < 1.5

    def test_context(self) -> None:
        """Leaving the context shuts down, also by an error, which goes on."""
        telemetry: Telemetry | None = None

        def work() -> None:
            nonlocal telemetry
            with configure("a", set_global=False, log_stream=None, environ={}) as telemetry:
                raise ValueError("work")

        with pytest.raises(ValueError, match="work"):
            work()
        assert telemetry is not None
        assert not telemetry._open


class TestTracking:
    def test_sampled(self, monkeypatch: pytest.MonkeyPatch, eventually: Eventually) -> None:
        """Counts are kept from time to time, without anybody asking."""
        monkeypatch.setattr("otel_meta.runtime.telemetry.INTERVAL", 0.01)
        clock = FakeClock()
        with capture("maps", Atlas, clock=clock) as captured:
            atlas = captured.bind(Atlas)
            atlas.tiles.add(100)
            history: Any = captured.telemetry.tracker._tracked[Atlas.completeness].history
            eventually(lambda: history._tiers[0]._samples)
            clock.advance(6 * 3600)
            rates = captured.telemetry.tracker.status(Atlas.completeness).burn_rates

        assert rates["5m"] is None


class TestDisabled:
    def test_quiet(self) -> None:
        """Disabled, there is neither a scrape nor a span nor a thread, and recording goes on."""
        with capture("maps", Atlas, environ={"OTEL_SDK_DISABLED": "true"}) as captured:
            atlas = captured.bind(Atlas)
            atlas.tiles.add(1)
            telemetry = captured.telemetry

            assert (None, None, None) == (telemetry.scrape, telemetry.traces, telemetry.metrics)
            assert telemetry.flush()
            assert 1.0 == captured.value(Atlas.tiles)
