from __future__ import annotations

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Thread
from typing import TYPE_CHECKING, Self

from tests.conftest import wait_until
from tests.workers.conftest import UVICORN
from tests.workers.load import Load, sample, scrape

if TYPE_CHECKING:
    from tests.workers.conftest import Starting, Workers

REQUESTS = int(os.environ.get("OTEL_META_TEST_REQUESTS", "6000"))


class Watch:
    """Scrapes over and over, and notes whether a total ever goes back."""

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


def kill_one(workers: Workers) -> int:
    """End a worker as the kernel does when memory is short."""
    pid = min(workers.pids)
    os.kill(pid, signal.SIGKILL)
    return pid


class TestLoad:
    def test_killed(self, starting: Starting) -> None:
        """Every completed request is counted, whoever dies, and no total ever goes back."""
        workers = starting([*UVICORN, "--workers", "3"])
        killed: list[int] = []
        load = Load(workers.port, REQUESTS, halfway=lambda: killed.append(kill_one(workers)))
        with Watch(workers.port) as watch:
            load.run()
        page = scrape(workers.port)
        counted = sample(page, "atlas_tiles_total")

        assert counted is not None
        assert load.completed <= counted <= load.sent
        assert load.sent - load.completed <= load.connections
        assert sorted(watch.totals) == watch.totals
        assert sorted(watch.counts) == watch.counts
        assert len(watch.totals) > 3

        assert "totals" in workers.files
        assert not workers.pids & set(killed)
        assert len(workers.files) <= 4  # a worker that nobody has asked anything has no file yet

    def test_restart(self, starting: Starting) -> None:
        """The totals outlive the service, whether it is stopped or killed."""
        workers = starting([*UVICORN, "--workers", "2"])
        Load(workers.port, 50).run()
        workers.stop(signal.SIGTERM)
        workers.start()
        Load(workers.port, 50).run()
        workers.stop(signal.SIGKILL)
        workers.start()

        assert 100.0 == sample(scrape(workers.port), "atlas_tiles_total")

    def test_every_worker(self, starting: Starting) -> None:
        """A gauge that is not merged has one series for each worker, by a small number."""
        workers = starting([*UVICORN, "--workers", "2"])
        wait_until(lambda: _zoomed(workers) == {"0", "1"})


def _zoomed(workers: Workers) -> set[str]:
    with ThreadPoolExecutor() as pool:  # while one worker is busy, the other takes the next
        for _ in range(4):
            pool.submit(scrape, workers.port, "/zoom")
            time.sleep(0.05)
    page = scrape(workers.port)
    return {n for n in "0123" if sample(page, "atlas_zoom", worker=n) is not None}
