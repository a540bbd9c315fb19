from __future__ import annotations

import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Thread
from typing import NamedTuple, Self

import pytest

from tests.conftest import wait_until
from tests.workers.conftest import UVICORN, MultiprocessService, StartService, running_service
from tests.workers.load import Load, sample, scrape

REQUESTS = int(os.environ.get("OTEL_META_TEST_REQUESTS", "3000"))


class ScrapeLoop:
    """Scrapes a service in a thread, and keeps a counter and a histogram's count."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._stopping = Event()
        self._thread = Thread(target=self._run, daemon=True)
        self.totals: list[float] = []
        self.counts: list[float] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(0.02):
            page = scrape(self._port)
            self.totals.append(sample(page, "atlas_tiles_total") or 0.0)
            name = "http_server_request_duration_seconds_count"
            self.counts.append(sample(page, name, http_route="/tile") or 0.0)


class KilledWorker(NamedTuple):
    """A service under load, after one of its workers was killed."""

    service: MultiprocessService
    load: Load
    scrapes: ScrapeLoop
    killed: int


@pytest.fixture(scope="module")
def killed_worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KilledWorker]:
    """Load a service of three workers, scrape it, and kill a worker in the middle."""
    killed: list[int] = []
    folder = tmp_path_factory.mktemp("uvicorn")
    with running_service(folder, [*UVICORN, "--workers", "3"]) as service:
        load = Load(service.port, REQUESTS, halfway=lambda: killed.append(service.kill_worker()))
        with ScrapeLoop(service.port) as scrapes:
            load.run()
        yield KilledWorker(service, load, scrapes, *killed)


class TestKilledWorker:
    def test_every_answer_is_counted(self, killed_worker: KilledWorker) -> None:
        """Every completed request is counted."""
        load = killed_worker.load

        assert load.completed <= killed_worker.service.tiles <= load.sent

    def test_connections_lose_one_request(self, killed_worker: KilledWorker) -> None:
        """Each connection loses at most one request to the killed worker."""
        load = killed_worker.load

        assert load.sent - load.completed <= load.connections

    def test_counter_never_decreases(self, killed_worker: KilledWorker) -> None:
        """A counter never decreases from one scrape to the next."""
        totals = killed_worker.scrapes.totals

        assert len(totals) > 3
        assert sorted(totals) == totals

    def test_histogram_count_never_decreases(self, killed_worker: KilledWorker) -> None:
        """The count of a histogram never decreases from one scrape to the next."""
        counts = killed_worker.scrapes.counts

        assert sorted(counts) == counts

    def test_totals_replace_file_of_killed_worker(self, killed_worker: KilledWorker) -> None:
        """The totals replace the file of the killed worker."""
        scrape(killed_worker.service.port)

        assert "totals" in killed_worker.service.files
        assert killed_worker.killed not in killed_worker.service.worker_pids

    def test_files_do_not_accumulate(self, killed_worker: KilledWorker) -> None:
        """There is at most one file for each worker, and the totals."""
        scrape(killed_worker.service.port)

        assert len(killed_worker.service.files) <= 4, killed_worker.service.files


class TestRestart:
    def test_totals_survive_restart(self, start_service: StartService) -> None:
        """Totals survive a restart of the service, after SIGTERM and after SIGKILL."""
        service = start_service([*UVICORN, "--workers", "2"])
        Load(service.port, 50).run()
        service.terminate()
        service.start()
        Load(service.port, 50).run()
        service.kill()
        service.start()

        assert 100.0 == service.tiles


class TestGauge:
    def test_gauge_per_worker_has_worker_numbers(self, start_service: StartService) -> None:
        """A gauge of the mode all has one series for each worker, by number."""
        service = start_service([*UVICORN, "--workers", "2"])
        wait_until(lambda: workers_of_gauge(service) == {"0", "1"})


def workers_of_gauge(service: MultiprocessService) -> set[str]:
    """Set the gauge in several workers, and return the worker numbers of its series."""
    with ThreadPoolExecutor() as pool:  # while a worker is blocked, another takes the next request
        for _ in range(4):
            pool.submit(scrape, service.port, "/zoom")
            time.sleep(0.05)
    page = scrape(service.port)
    return {n for n in "0123" if sample(page, "atlas_zoom", worker=n) is not None}
