"""Services with several worker processes, started by the usual servers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Protocol

import pytest

from otel_meta.testing.loopback import free_port
from tests.conftest import PATIENCE, environment, wait_until
from tests.workers.load import sample, scrape

SERVICE = '''
import os, time
from fastapi import FastAPI
from otel_meta import Counter, Gauge, MetaRepo, NoLabels, UpDownCounter
from otel_meta import configure, instrument_fastapi

class Atlas(MetaRepo, name="atlas-maps", owner="maps"):
    """Map tiles."""
    tiles = Counter("atlas.tiles", "Tiles.", NoLabels)
    zoom = Gauge("atlas.zoom", "Zoom.", NoLabels, multiprocess_mode="all")

app = FastAPI()
telemetry = configure("maps", Atlas)
instrument_fastapi(app, telemetry)
atlas = telemetry.bind(Atlas)

@app.get("/tile")
async def tile():
    atlas.tiles.add(1)
    return "tile"

@app.get("/zoom")
async def zoom():
    atlas.zoom.set(os.getpid())
    time.sleep(0.3)  # blocks the event loop, so another worker takes the next request
    return "zoom"
'''

UVICORN = ["uvicorn", "service:app", "--port", "{port}", "--log-level", "warning"]
GUNICORN = ["gunicorn", "service:app", "--bind", "127.0.0.1:{port}", "--log-level", "warning"]
GUNICORN_UVICORN = [*GUNICORN, "--worker-class", "uvicorn_worker.UvicornWorker"]


class MultiprocessService:
    """A service of several processes with a shared directory.

    Args:
        folder: folder of the source, of the output and of the shared directory.
        command: arguments of ``python -m``; ``{port}`` stands for the port.
        source: source of the module ``service``.
        environ: environment variables.
    """

    process: subprocess.Popen[bytes]

    def __init__(
        self, folder: Path, command: list[str], source: str, environ: dict[str, str]
    ) -> None:
        folder.mkdir(exist_ok=True)
        folder.joinpath("service.py").write_text(source)
        self.folder = folder
        self.directory = folder / "numbers"
        self.port = free_port()
        self.environ = {"OTEL_META_MULTIPROCESS_DIR": str(self.directory), **environ}
        self._command = [word.format(port=self.port) for word in command]

    def start(self) -> None:
        """Start the service, and wait for its first answer."""
        with (self.folder / "out").open("ab") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *self._command],
                cwd=self.folder,
                env=environment(self.environ),
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        wait_until(lambda: self._answers() or self.process.poll() is not None)
        assert self.process.poll() is None, (self.folder / "out").read_text()

    def terminate(self) -> None:
        """Stop the service by SIGTERM, and wait for the end of all its processes."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(PATIENCE)
        self._wait_for_workers()

    def kill(self) -> None:
        """Kill all processes of the service, and wait for their end."""
        if _running_in_group(self.process.pid):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(PATIENCE)
        self._wait_for_workers()

    def kill_worker(self) -> int:
        """Kill the worker with the lowest process id among those with a file, and return the id."""
        pid = min(self.worker_pids)
        os.kill(pid, signal.SIGKILL)
        return pid

    @property
    def worker_pids(self) -> set[int]:
        """Process ids of all workers with a file."""
        return {int(path.name.partition("-")[0]) for path in self.directory.glob("*.worker")}

    @property
    def files(self) -> list[str]:
        """Names of the files in the shared directory."""
        return sorted(path.name for path in self.directory.iterdir() if path.is_file())

    @property
    def tiles(self) -> float:
        """Total of the counter of tiles, 0.0 before the first tile."""
        return sample(scrape(self.port), "atlas_tiles_total") or 0.0

    def _answers(self) -> bool:
        try:
            scrape(self.port)
        except AssertionError:
            return False
        return True

    def _wait_for_workers(self) -> None:
        wait_until(lambda: not _running_in_group(self.process.pid))


def _running_in_group(group: int) -> bool:
    """Return True if a thread of a process in a group is running.

    Zombies do not count: the init process may take seconds to reap an orphan. The main thread of a
    killed process may be a zombie before the last thread has closed the port.
    """
    for path in Path("/proc").glob("[0-9]*/task/[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:  # the process has ended meanwhile
            continue
        if int(fields[2]) == group and fields[0] not in "ZX":
            return True
    return False


@contextmanager
def running_service(
    folder: Path, command: list[str], source: str = SERVICE, **environ: str
) -> Iterator[MultiprocessService]:
    """Start a service, and kill it at the end of the block."""
    service = MultiprocessService(folder, command, source, environ)
    try:
        service.start()
        yield service
    finally:
        service.kill()


class StartService(Protocol):
    """Starts a service that is killed at the end of the test."""

    def __call__(
        self, command: list[str], source: str = SERVICE, **environ: str
    ) -> MultiprocessService:
        """Start a service by a command of ``python -m``."""
        ...


@pytest.fixture
def start_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartService]:
    """Start services, and kill them at the end of the test."""
    with ExitStack() as services:

        def start(command: list[str], source: str = SERVICE, **environ: str) -> MultiprocessService:
            folder = tmp_path_factory.mktemp("service")
            return services.enter_context(running_service(folder, command, source, **environ))

        yield start
