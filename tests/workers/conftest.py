"""Services of several processes, by the servers that people use."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from otel_meta.testing.loopback import free_port
from tests.conftest import PATIENCE, environment, wait_until
from tests.workers.load import scrape

SERVICE = '''
import os, time
from fastapi import FastAPI
from otel_meta import Counter, Gauge, MetaRepo, NoLabels, UpDownCounter, configure, instrument

class Atlas(MetaRepo, name="atlas-maps", owner="maps"):
    """Map tiles."""
    tiles = Counter("atlas.tiles", "Tiles.", NoLabels)
    zoom = Gauge("atlas.zoom", "Zoom.", NoLabels, multiprocess_mode="all")

app = FastAPI()
telemetry = configure("maps", Atlas)
instrument(app, telemetry)
atlas = telemetry.bind(Atlas)

@app.get("/tile")
async def tile():
    atlas.tiles.add(1)
    return "tile"

@app.get("/zoom")
async def zoom():
    atlas.zoom.set(os.getpid())
    time.sleep(0.3)  # which nobody should, and which keeps this worker from taking more
    return "zoom"
'''


class Workers:
    """A service of several processes that share a directory."""

    def __init__(
        self, folder: Path, command: list[str], source: str, given: dict[str, str]
    ) -> None:
        folder.mkdir(exist_ok=True)
        folder.joinpath("service.py").write_text(source)
        self.folder = folder
        self.numbers = folder / "numbers"
        self.port = free_port()
        self._command = [word.format(port=self.port) for word in command]
        self._given = {"OTEL_META_MULTIPROCESS_DIR": str(self.numbers), **given}
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> Workers:
        """Start the service, and wait until it answers."""
        with (self.folder / "out").open("ab") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *self._command],
                cwd=self.folder,
                env=environment(self._given),
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        wait_until(lambda: self.answers() or self.process is None or self.process.poll())
        return self

    def answers(self) -> bool:
        """Whether somebody answers."""
        try:
            scrape(self.port)
        except AssertionError:
            return False
        return True

    def stop(self, number: int = signal.SIGTERM) -> None:
        """Stop the service, and wait until all its processes are gone."""
        assert self.process is not None
        if number == signal.SIGKILL:
            os.killpg(self.process.pid, number)
        else:
            self.process.send_signal(number)
        self.process.wait(PATIENCE)
        wait_until(lambda: not _any_in(self.process.pid))  # type: ignore[union-attr]

    @property
    def pids(self) -> set[int]:
        """The processes that have numbers of their own."""
        return {int(path.name.partition("-")[0]) for path in self.numbers.glob("*.worker")}

    @property
    def files(self) -> list[str]:
        """What is in the directory."""
        return sorted(path.name for path in self.numbers.iterdir() if path.is_file())

    @property
    def output(self) -> str:
        """What was printed so far."""
        return (self.folder / "out").read_text()


def _any_in(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


Starting = Callable[..., Workers]

UVICORN = ["uvicorn", "service:app", "--port", "{port}", "--log-level", "warning"]
GUNICORN = ["gunicorn", "service:app", "--bind", "127.0.0.1:{port}", "--log-level", "warning"]
GUNICORN_UVICORN = [*GUNICORN, "--worker-class", "uvicorn_worker.UvicornWorker"]


@pytest.fixture
def starting(tmp_path: Path) -> Iterator[Starting]:
    """Start a service by a command, in which {port} stands for its port."""
    made: list[Workers] = []

    def start(command: list[str], source: str = SERVICE, **given: str) -> Workers:
        made.append(Workers(tmp_path / f"service-{len(made)}", command, source, given))
        return made[-1].start()

    yield start
    for workers in made:
        process: Any = workers.process
        if process.poll() is None or _any_in(process.pid):
            workers.stop(signal.SIGKILL)
