from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest
from opentelemetry.metrics import Meter

from otel_meta import Counter, MetaRepo, NoLabels, Slo
from otel_meta.errors import ConfigurationError, PortInUse
from otel_meta.testing import CapturedTelemetry, capture

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

    from tests.conftest import Run


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
    numbers: Path, service: str = "maps", **settings: Any
) -> AbstractContextManager[CapturedTelemetry]:
    """Telemetry of a worker."""
    environ = {"OTEL_META_MULTIPROCESS_DIR": str(numbers)}
    return capture(service, Atlas, environ=environ, **settings)


def meter(captured: CapturedTelemetry) -> Meter:
    """What another library records through."""
    assert captured.telemetry.metrics is not None
    return captured.telemetry.metrics.provider.get_meter("library")


class TestOn:
    def test_directory(self, tmp_path: Path) -> None:
        """Naming the directory is enough."""
        with worker(tmp_path / "numbers") as one, worker(tmp_path / "numbers") as two:
            one.bind(Atlas).tiles.add(1)
            two.bind(Atlas).tiles.add(2)

            assert "\natlas_tiles_total{" in one.prometheus_text()
            assert "} 3.0\n" in one.prometheus_text().partition("\natlas_tiles_total{")[2]

    def test_off(self, tmp_path: Path) -> None:
        """A worker may have numbers of its own nevertheless."""
        with worker(tmp_path / "numbers", workers=False) as captured:
            captured.bind(Atlas).tiles.add(1)

            assert not (tmp_path / "numbers").exists()

    def test_asked_for(self) -> None:
        """Asking for it without saying where is an error that says how."""
        with (
            pytest.raises(ConfigurationError, match="set OTEL_META_MULTIPROCESS_DIR to a dir"),
            capture(workers=True, environ={}),
        ):
            pass

    def test_disabled(self, tmp_path: Path) -> None:
        """Nothing is shared where telemetry is turned off."""
        environ = {
            "OTEL_META_MULTIPROCESS_DIR": str(tmp_path / "numbers"),
            "OTEL_SDK_DISABLED": "true",
        }
        with capture(environ=environ) as captured:
            captured.bind(Atlas).tiles.add(1)

            assert not (tmp_path / "numbers").exists()

    def test_end(self, tmp_path: Path) -> None:
        """A worker that shuts down leaves its numbers in the totals, and no file."""
        with worker(tmp_path / "numbers") as captured:
            captured.bind(Atlas).tiles.add(1)

        assert ["totals"] == [path.name for path in (tmp_path / "numbers").iterdir()]


class TestRefused:
    def test_read_only(self) -> None:
        """A directory where nothing can be written is an error at start."""
        with (
            pytest.raises(ConfigurationError, match="on a local disk or in memory"),
            worker("/proc/self"),  # type: ignore[arg-type]
        ):
            pass

    def test_two_services(self, tmp_path: Path) -> None:
        """So is one that belongs to another service."""
        with worker(tmp_path) as captured:
            captured.bind(Atlas).tiles.add(1)
            with (
                pytest.raises(ConfigurationError, match="holds the numbers of 'maps'"),
                worker(tmp_path, "routes"),
            ):
                pass

    def test_full(self, script: Callable[..., Run], tmp_path: Path) -> None:
        """So is a disk that is full."""
        run = script(
            "import resource\n"
            "from otel_meta import configure\n"
            "from otel_meta.errors import ConfigurationError\n"
            "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
            "try: configure('maps')\n"
            "except ConfigurationError as error: print(error)\n",
            OTEL_META_MULTIPROCESS_DIR=str(tmp_path / "numbers"),
        )

        assert "numbers: File too large; set OTEL_META_MULTIPROCESS_DIR" in run.stdout
        assert [] == list((tmp_path / "numbers").iterdir())


class TestPort:
    def test_shared(self, tmp_path: Path, closed_port: int) -> None:
        """All workers listen on the port, and it goes on when one ends."""
        url = f"http://127.0.0.1:{closed_port}/metrics"
        options = {"prometheus_port": closed_port, "prometheus_host": "127.0.0.1"}
        with worker(tmp_path / "numbers", **options) as one:
            one.bind(Atlas).tiles.add(1)
            with worker(tmp_path / "numbers", **options) as two:
                two.bind(Atlas).tiles.add(1)
                with httpx.Client(trust_env=False) as client:
                    both = client.get(url).text
            with httpx.Client(trust_env=False) as client:
                one_left = client.get(url).text

        assert "} 2.0\n" in both.partition("\natlas_tiles_total{")[2].partition("#")[0]
        assert "} 2.0\n" in one_left.partition("\natlas_tiles_total{")[2].partition("#")[0]

    def test_somebody_else(self, tmp_path: Path, closed_port: int) -> None:
        """A port that another service's workers share is in use."""
        options = {"prometheus_port": closed_port, "prometheus_host": "127.0.0.1"}
        with (
            worker(tmp_path / "maps", **options),
            pytest.raises(PortInUse),
            worker(tmp_path / "routes", "routes", **options),
        ):
            pass

    def test_alone(self, tmp_path: Path, closed_port: int) -> None:
        """Without a directory, a second worker on the port is an error at start."""
        options = {"prometheus_port": closed_port, "prometheus_host": "127.0.0.1"}
        with capture(**options), pytest.raises(PortInUse), capture(**options):
            pass


class TestPage:
    def test_foreign(self, tmp_path: Path) -> None:
        """What other libraries record is one worker's, so it is left out, which is said once."""
        with worker(tmp_path) as captured:
            meter(captured).create_counter("library.calls").add(1)
            pages = [captured.prometheus_text() for _ in range(3)]
            said = [log["event"] for log in captured.logs() if "library.calls" in log["event"]]

            assert not [page for page in pages if "library_calls" in page]
            assert 1 == len(said)
            assert "OTEL_EXPORTER_OTLP_ENDPOINT" in said[0]

    def test_up(self, tmp_path: Path) -> None:
        """That the service exports is shown once, and nothing that tells of one worker alone."""
        with worker(tmp_path) as one, worker(tmp_path) as two:
            pages = [one.prometheus_text(), two.prometheus_text()]
            (page,) = {p.partition("# HELP otel_meta_series")[0] for p in pages}

            assert 1 == page.count("\notel_meta_up{")
            assert "service_instance_id" not in page
            assert "python_gc" not in pages[0]

    def test_processes(self, tmp_path: Path) -> None:
        """Each living worker's process is shown under its number."""
        with worker(tmp_path) as one, worker(tmp_path) as two:
            for each in (one, two):
                each.bind(Atlas).tiles.add(1)
            page = one.prometheus_text()

            assert '\nprocess_resident_memory_bytes{worker="0"}' in page
            assert '\nprocess_resident_memory_bytes{worker="1"}' in page


class TestSlo:
    def test_all(self, tmp_path: Path) -> None:
        """An SLO is judged by what all workers have recorded since."""
        with worker(tmp_path) as before:
            before.bind(Atlas).tiles.add(1000)
        with worker(tmp_path) as one, worker(tmp_path) as two:
            for each in (one, two):
                each.bind(Atlas)
            one.bind(Atlas).tiles.add(90)
            two.bind(Atlas).tiles.add(10)
            two.bind(Atlas).torn.add(2)
            status = one.telemetry.tracker.status(Atlas.whole)

            assert (2.0, 100.0) == status.events
            assert "breached" == status.state
