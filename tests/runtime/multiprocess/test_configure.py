from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import httpx
import pytest
from opentelemetry.metrics import Meter

from otel_meta import Counter, MetaRepo, NoLabels, Slo
from otel_meta.errors import ConfigurationError, PortInUse
from otel_meta.runtime.multiprocess import workers as workers_module
from otel_meta.runtime.multiprocess.workers import Workers
from otel_meta.runtime.recording.faults import Faults
from otel_meta.testing import CapturedTelemetry, capture
from tests.conftest import Eventually
from tests.runtime.multiprocess.conftest import TILES, Spawn, spare_descriptors


class Atlas(MetaRepo, name="atlas-maps", owner="maps"):
    """Map tiles."""

    tiles = Counter("atlas.tiles", "Tiles.", NoLabels)
    torn = Counter("atlas.torn", "Tiles that are torn.", NoLabels)
    whole = Slo(
        "atlas-whole",
        objective="99%",
        period="30d",
        sli=tiles.ratio(bad=torn),
        why="Torn maps mislead.",
    )


def worker(
    directory: Path, service: str = "maps", **settings: Any
) -> AbstractContextManager[CapturedTelemetry]:
    """Start telemetry of a worker."""
    environ = {"OTEL_META_MULTIPROCESS_DIR": str(directory)}
    return capture(service, Atlas, environ=environ, **settings)


def other_librarys_meter(captured: CapturedTelemetry) -> Meter:
    """Return a meter of OpenTelemetry's API, as another library uses it."""
    assert captured.telemetry.metrics is not None
    return captured.telemetry.metrics.provider.get_meter("library")


def values(page: str, metric: str) -> list[str]:
    """Return the values of a metric's series on a page."""
    lines = [line for line in page.splitlines() if line.startswith(metric + "{")]
    return [line.rpartition(" ")[2] for line in lines]


class Stars(MetaRepo, name="atlas-stars", owner="maps"):
    """Stars, of which no SLO exists."""

    stars = Counter("atlas.stars", "Stars.", NoLabels)


class TestStart:
    def test_worker_without_slos_reads_no_other_worker(self, tmp_path: Path) -> None:
        """A worker without SLOs starts and samples without a scan of the directory."""
        environ = {"OTEL_META_MULTIPROCESS_DIR": str(tmp_path / "numbers")}
        with capture("maps", environ=environ) as first, capture("maps", environ=environ) as second:
            first.bind(Stars).stars.add(1)
            second.bind(Stars).stars.add(1)
            second.telemetry.tracker.sample()

            assert second.telemetry.view is not None
            assert [] == second.telemetry.view.owners()

    def test_worker_with_slos_reads_other_workers(self, tmp_path: Path) -> None:
        """A worker with SLOs knows the other workers from its start on, to count their events."""
        with worker(tmp_path / "numbers") as first:
            first.bind(Atlas).tiles.add(1)
            with worker(tmp_path / "numbers") as second:
                assert second.telemetry.view is not None
                assert 1 == len(second.telemetry.view.owners())


class TestSettings:
    def test_directory_turns_sharing_on(self, tmp_path: Path) -> None:
        """The directory's variable is enough to share metrics."""
        with worker(tmp_path / "numbers") as first, worker(tmp_path / "numbers") as second:
            first.bind(Atlas).tiles.add(1)
            second.bind(Atlas).tiles.add(2)

            assert ["3.0"] == values(first.prometheus_text(), "atlas_tiles_total")

    def test_workers_false_turns_sharing_off(self, tmp_path: Path) -> None:
        """`workers=False` leaves a process out."""
        with worker(tmp_path / "numbers", workers=False) as captured:
            captured.bind(Atlas).tiles.add(1)

            assert not (tmp_path / "numbers").exists()

    def test_workers_true_requires_directory(self) -> None:
        """`workers=True` without a directory is an error with the variable to set."""
        with (
            pytest.raises(ConfigurationError, match="set OTEL_META_MULTIPROCESS_DIR to a dir"),
            capture(workers=True, environ={}),
        ):
            pass

    def test_disabled_sdk_shares_nothing(self, tmp_path: Path) -> None:
        """A disabled SDK creates no directory."""
        environ = {
            "OTEL_META_MULTIPROCESS_DIR": str(tmp_path / "numbers"),
            "OTEL_SDK_DISABLED": "true",
        }
        with capture(environ=environ) as captured:
            captured.bind(Atlas).tiles.add(1)

            assert not (tmp_path / "numbers").exists()


class TestShutdown:
    def test_shutdown_leaves_totals_and_history_of_slos(self, tmp_path: Path) -> None:
        """After the shutdown of the last worker, totals and history of SLOs are left."""
        with worker(tmp_path / "numbers") as captured:
            captured.bind(Atlas).tiles.add(1)

        assert {"totals", "slo-history", "slo-history.lock"} == {
            path.name for path in (tmp_path / "numbers").iterdir()
        }


class TestRefused:
    def test_directory_without_files_is_refused(self) -> None:
        """A directory that can never have files is an error at start."""
        with (
            pytest.raises(ConfigurationError, match="on a local disk or in memory"),
            worker(Path("/proc/self")),
        ):
            pass

    def test_directory_of_other_service_is_refused(self, tmp_path: Path) -> None:
        """A directory of another service is an error at start."""
        with worker(tmp_path) as captured:
            captured.bind(Atlas).tiles.add(1)
            with (
                pytest.raises(ConfigurationError, match="holds the metrics of 'maps'"),
                worker(tmp_path, "routes"),
            ):
                pass


class TestRetry:
    def test_private_numbers_are_shared_without_scrape(
        self, spawn: Spawn, monkeypatch: pytest.MonkeyPatch, eventually: Eventually
    ) -> None:
        """A worker shares its private numbers by itself: nobody has to scrape it."""
        monkeypatch.setattr(workers_module, "SETTLE_INTERVAL", 0.01)
        first, second = spawn(), spawn()
        first.workers.start(first.faults)
        with spare_descriptors(0):
            first.live(TILES).add(1, style="a")
        eventually(lambda: first.shared(TILES))
        first.workers.close()
        second.live(TILES)

        assert 1.0 == second.scraped(TILES, style="a")

    def test_failed_start_is_said_once(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        """A worker that cannot open the directory starts, says so once, and shares later."""
        with spare_descriptors(0):
            workers = Workers(tmp_path, "maps", "")
        faults = Faults(workers.allocator)
        workers.start(faults)
        said = [record.getMessage() for record in caplog.records]
        workers.close()

        assert {("workers", "directory"): 1.0} == {c.labels: c.value for c in faults.family.cells()}
        assert ["Too many open files; set OTEL_META_MULTIPROCESS_DIR" in line for line in said] == [
            True
        ]


class TestPort:
    def test_workers_share_port(self, tmp_path: Path, closed_port: int) -> None:
        """All workers serve the port, and the port is still served after one of them ends."""
        options: dict[str, Any] = {"prometheus_port": closed_port, "prometheus_host": "127.0.0.1"}
        with worker(tmp_path / "numbers", **options) as first:
            first.bind(Atlas).tiles.add(1)
            with worker(tmp_path / "numbers", **options) as second:
                second.bind(Atlas).tiles.add(1)
                page_of_two = fetch_metrics(closed_port)
            page_of_one = fetch_metrics(closed_port)

        assert ["2.0"] == values(page_of_two, "atlas_tiles_total")
        assert ["2.0"] == values(page_of_one, "atlas_tiles_total")

    def test_port_of_other_service_is_in_use(self, tmp_path: Path, closed_port: int) -> None:
        """A port of another service's workers is in use."""
        options: dict[str, Any] = {"prometheus_port": closed_port, "prometheus_host": "127.0.0.1"}
        with (
            worker(tmp_path / "maps", **options),
            pytest.raises(PortInUse),
            worker(tmp_path / "routes", "routes", **options),
        ):
            pass

    def test_port_without_directory_is_exclusive(self, closed_port: int) -> None:
        """Without a directory, a second worker on the port is an error at start."""
        options: dict[str, Any] = {"prometheus_port": closed_port, "prometheus_host": "127.0.0.1"}
        with capture(**options), pytest.raises(PortInUse), capture(**options):
            pass


def fetch_metrics(port: int) -> str:
    """Fetch the metrics page of a port by a connection of its own."""
    with httpx.Client(trust_env=False) as client:
        return client.get(f"http://127.0.0.1:{port}/metrics").text


class TestPage:
    def test_metrics_of_other_libraries_are_omitted(self, tmp_path: Path) -> None:
        """Metrics of other libraries are omitted, because they are of a single worker."""
        with worker(tmp_path) as captured:
            other_librarys_meter(captured).create_counter("library.calls").add(1)

            assert "library_calls" not in captured.prometheus_text()

    def test_omission_is_logged_once(self, tmp_path: Path) -> None:
        """The omission of other libraries' metrics is logged once, with the alternative."""
        with worker(tmp_path) as captured:
            other_librarys_meter(captured).create_counter("library.calls").add(1)
            for _ in range(3):
                captured.prometheus_text()
            events = [log["event"] for log in captured.logs() if "library.calls" in log["event"]]

            assert ["OTEL_EXPORTER_OTLP_ENDPOINT" in event for event in events] == [True]

    def test_workers_answer_alike(self, tmp_path: Path) -> None:
        """All workers answer with the same metrics of the service."""
        with worker(tmp_path) as first, worker(tmp_path) as second:
            pages = [first.prometheus_text(), second.prometheus_text()]
            pages = [page.partition("# HELP otel_meta_series")[0] for page in pages]

            assert pages[0] == pages[1]

    def test_page_has_nothing_of_one_worker(self, tmp_path: Path) -> None:
        """The page shows the service once, and no series of a single worker."""
        with worker(tmp_path) as first, worker(tmp_path):
            page = first.prometheus_text()

            assert 1 == page.count("\notel_meta_up{")
            assert "service_instance_id" not in page
            assert "python_gc" not in page

    def test_process_metrics_have_worker_label(self, tmp_path: Path) -> None:
        """Process metrics are shown for each living worker, by number."""
        with worker(tmp_path) as first, worker(tmp_path) as second:
            for each in (first, second):
                each.bind(Atlas).tiles.add(1)
            page = first.prometheus_text()

            assert '\nprocess_resident_memory_bytes{worker="0"}' in page
            assert '\nprocess_resident_memory_bytes{worker="1"}' in page


class TestSlo:
    def test_slo_counts_events_of_all_workers(self, tmp_path: Path) -> None:
        """An SLO counts the events of all workers, also of those that ended before."""
        with worker(tmp_path) as before:
            before.bind(Atlas).tiles.add(50)
        with worker(tmp_path) as first, worker(tmp_path) as second:
            for each in (first, second):
                each.bind(Atlas)
            first.bind(Atlas).tiles.add(90)
            second.bind(Atlas).tiles.add(10)
            second.bind(Atlas).torn.add(2)
            status = first.telemetry.tracker.status(Atlas.whole)

            assert (2.0, 150.0) == status.events
            assert "at_risk" == status.state
