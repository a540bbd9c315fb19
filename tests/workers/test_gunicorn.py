from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from otel_meta.testing.loopback import free_port
from tests.conftest import wait_until
from tests.workers.conftest import (
    GUNICORN_UVICORN,
    SERVICE,
    MultiprocessService,
    StartService,
    running_service,
)
from tests.workers.load import Load, sample, scrape

REQUESTS = 600
COMMANDS = {
    "each": [*GUNICORN_UVICORN, "--workers", "3"],
    "preload": [*GUNICORN_UVICORN, "--workers", "3", "--preload"],
}
"""Each worker loads the application, or the master process loads it before it forks."""


@pytest.fixture(scope="module", params=COMMANDS.values(), ids=list(COMMANDS))
def service(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[MultiprocessService]:
    """A service of three workers."""
    with running_service(tmp_path_factory.mktemp("gunicorn"), request.param) as service:
        yield service


class TestGunicorn:
    def test_every_answer_is_counted(self, service: MultiprocessService) -> None:
        """Every completed request is counted, although a worker is killed meanwhile."""
        before = service.tiles
        load = Load(service.port, REQUESTS, halfway=service.kill_worker)
        load.run()

        assert load.completed <= service.tiles - before <= load.sent

    def test_killed_worker_leaves_no_file(self, service: MultiprocessService) -> None:
        """The file of a killed worker is removed by a scrape of another worker."""
        Load(service.port, 50).run()
        killed = service.kill_worker()

        wait_until(lambda: scrape(service.port) and killed not in service.worker_pids)

    def test_reload_keeps_totals(self, service: MultiprocessService) -> None:
        """Totals keep the numbers of workers replaced by SIGHUP."""
        before = service.tiles
        Load(service.port, REQUESTS).run()
        old_pids = service.worker_pids
        service.process.send_signal(signal.SIGHUP)
        wait_until(lambda: scrape(service.port) and not old_pids & service.worker_pids)
        Load(service.port, REQUESTS).run()

        assert 2.0 * REQUESTS == service.tiles - before

    def test_files_do_not_accumulate(self, service: MultiprocessService) -> None:
        """There is at most one file for each worker, and the totals."""
        Load(service.port, 50).run()
        scrape(service.port)

        assert len(service.files) <= 4, service.files


@pytest.mark.parametrize("command", COMMANDS.values(), ids=list(COMMANDS))
class TestMetricsPort:
    def test_every_worker_answers_for_the_service(
        self, start_service: StartService, command: list[str]
    ) -> None:
        """The workers share the port for metrics, and each answers for the service."""
        port = free_port()
        service = start_service(command, OTEL_EXPORTER_PROMETHEUS_PORT=str(port))
        Load(service.port, REQUESTS).run()
        pages = [scrape(port) for _ in range(10)]

        assert {float(REQUESTS)} == {sample(page, "atlas_tiles_total") for page in pages}

    def test_service_ends_by_sigterm(self, start_service: StartService, command: list[str]) -> None:
        """All processes end by SIGTERM."""
        port = str(free_port())
        service = start_service(command, MARKING_SERVICE, OTEL_EXPORTER_PROMETHEUS_PORT=port)
        # A worker that is still starting misses the signal, and gunicorn waits 30 s for its end.
        wait_until(lambda: 3 == len(list(service.folder.glob("*.started"))))
        service.terminate()

        assert 0 == service.process.returncode


MARKING_SERVICE = SERVICE.replace(
    "app = FastAPI()",
    """
from contextlib import asynccontextmanager
from pathlib import Path

@asynccontextmanager
async def lifespan(app):
    Path(f"{os.getpid()}.started").touch()  # uvicorn handles signals from here on
    yield

app = FastAPI(lifespan=lifespan)
""",
)
LABELLED_SERVICE = (
    SERVICE.replace("from otel_meta import", "from otel_meta import labels,")
    .replace(
        'tiles = Counter("atlas.tiles", "Tiles.", NoLabels)',
        'tiles = Counter("atlas.tiles", "Tiles.", Tile)',
    )
    .replace("class Atlas", "@labels\nclass Tile:\n    style: str\n\nclass Atlas")
    .replace("tiles.add(1)", 'tiles.add(1, style="dark")')
)


class TestVersions:
    def test_rolling_deployment_counts_both(self, start_service: StartService) -> None:
        """During a rolling deployment both versions count, the old without the new label."""
        command = [*GUNICORN_UVICORN, "--workers", "2"]
        old = start_service(command)
        Load(old.port, REQUESTS).run()
        directory = str(old.directory)
        new = start_service(command, LABELLED_SERVICE, OTEL_META_MULTIPROCESS_DIR=directory)
        Load(new.port, REQUESTS).run()
        Load(old.port, REQUESTS).run()
        page = scrape(old.port)

        assert 3.0 * REQUESTS == sample(page, "atlas_tiles_total")
        assert 1.0 * REQUESTS == sample(page, "atlas_tiles_total", style="dark")
        assert 1 == page.count("# TYPE atlas_tiles_total")
