from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from otel_meta.testing.loopback import free_port
from tests.conftest import wait_until
from tests.workers.conftest import GUNICORN_UVICORN, SERVICE
from tests.workers.load import Load, sample, scrape

if TYPE_CHECKING:
    from tests.workers.conftest import Starting

WORKERS = [*GUNICORN_UVICORN, "--workers", "3"]
REQUESTS = 600


@pytest.mark.parametrize("options", [[], ["--preload"]], ids=["each", "preload"])
class TestGunicorn:
    def test_killed(self, starting: Starting, options: list[str]) -> None:
        """Every request is counted, whether workers load the application or are forked with it."""
        workers = starting([*WORKERS, *options])
        load = Load(
            workers.port,
            REQUESTS,
            halfway=lambda: os.kill(min(workers.pids), signal.SIGKILL),
        )
        load.run()
        counted = sample(scrape(workers.port), "atlas_tiles_total")

        assert counted is not None
        assert load.completed <= counted <= load.sent
        assert len(workers.files) <= 4, workers.files

    def test_reload(self, starting: Starting, options: list[str]) -> None:
        """Workers that are replaced leave their numbers, and no files."""
        workers = starting([*WORKERS, *options])
        Load(workers.port, REQUESTS).run()
        before = workers.pids
        workers.process.send_signal(signal.SIGHUP)  # type: ignore[union-attr]
        wait_until(lambda: scrape(workers.port) and not before & workers.pids)
        Load(workers.port, REQUESTS).run()

        assert 2.0 * REQUESTS == sample(scrape(workers.port), "atlas_tiles_total")
        assert len(workers.files) <= 4, workers.files

    def test_port(self, starting: Starting, options: list[str]) -> None:
        """A port of its own is that of all workers: whoever answers there answers for all."""
        port = free_port()
        workers = starting([*WORKERS, *options], OTEL_EXPORTER_PROMETHEUS_PORT=str(port))
        Load(workers.port, REQUESTS).run()

        pages = [scrape(port) for _ in range(10)]

        assert {float(REQUESTS)} == {sample(page, "atlas_tiles_total") for page in pages}

        workers.stop()  # waits in vain if a worker does not end


class TestVersions:
    def test_rolling(self, starting: Starting) -> None:
        """While a new version takes over, both count, the old without the new label."""
        newer = SERVICE.replace("from otel_meta import", "from otel_meta import labels,").replace(
            'tiles = Counter("atlas.tiles", "Tiles.", NoLabels)',
            'tiles = Counter("atlas.tiles", "Tiles.", Tile)',
        )
        newer = newer.replace("class Atlas", "@labels\nclass Tile:\n    style: str\n\nclass Atlas")
        newer = newer.replace("tiles.add(1)", 'tiles.add(1, style="dark")')
        old = starting(WORKERS)
        Load(old.port, REQUESTS).run()
        new = starting(WORKERS, newer, OTEL_META_MULTIPROCESS_DIR=str(old.numbers))
        Load(new.port, REQUESTS).run()
        Load(old.port, REQUESTS).run()
        page = scrape(old.port)

        assert 3.0 * REQUESTS == sample(page, "atlas_tiles_total")
        assert 1.0 * REQUESTS == sample(page, "atlas_tiles_total", style="dark")
        assert page.count("# TYPE atlas_tiles_total") == 1
