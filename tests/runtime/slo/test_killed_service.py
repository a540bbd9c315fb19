"""Services that are killed by SIGKILL, and start again with the file of their predecessor."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

SERVICE = """
import json, sys
from otel_meta import Counter, MetaRepo, NoLabels, Slo, configure


class Atlas(MetaRepo, name="atlas", owner="maps"):
    '''Maps.'''

    tiles = Counter("map.tiles", "Tiles.", NoLabels)
    holes = Counter("map.holes", "Tiles that are missing.", NoLabels)
    whole = Slo("atlas-whole", objective="99%", period="30d", sli=tiles.ratio(bad=holes),
                why="A map with holes misleads.")


telemetry = configure("tiles", Atlas, log_stream=sys.stderr.buffer)
for line in sys.stdin:
    command, *numbers = line.split()
    if command == "serve":
        atlas = telemetry.bind(Atlas)
        atlas.tiles.add(int(numbers[0]))
        atlas.holes.add(int(numbers[1]))
    if command == "sample":
        telemetry.tracker.sample()
    (status,) = telemetry.tracker.statuses()
    print(json.dumps({**dict(zip(("bad", "total"), status.events)), "covered": status.covered,
                      "faults": telemetry.faults.count()}), flush=True)
"""


class Service:
    """A service in a process of its own."""

    def __init__(self, environ: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", SERVICE],
            env={**os.environ, "OTEL_EXPORTER_PROMETHEUS_PORT": "0", **environ},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def do(self, command: str) -> dict[str, Any]:
        """Give a command, and return the status afterwards."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        status: dict[str, Any] = json.loads(self.process.stdout.readline())
        return status

    def kill(self) -> None:
        """Kill the process."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def terminate(self) -> None:
        """Ask the process to end."""
        self.process.terminate()
        self.process.wait()

    def close(self) -> None:
        """Kill the process, and close its pipes."""
        self.kill()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()


Start = Callable[..., Service]


@pytest.fixture
def start() -> Iterator[Start]:
    """Return a function that starts a service with some variables."""
    with ExitStack() as services:

        def start_service(**environ: str) -> Service:
            service = Service(environ)
            services.callback(service.close)
            return service

        yield start_service


class TestKill:
    def test_killed_service_has_its_events_after_restart(
        self, start: Start, tmp_path: Path
    ) -> None:
        """After SIGKILL, a service has every event up to its last sample, and no fault."""
        path = {"OTEL_META_SLO_PATH": str(tmp_path / "slo")}
        first = start(**path)
        first.do("serve 100 2")
        first.do("sample")
        first.do("serve 7 7")
        first.kill()
        second = start(**path)
        found = second.do("look")
        second.do("serve 10 1")
        second.do("sample")
        second.kill()
        third = start(**path).do("look")

        assert (2.0, 100.0, 0.0) == (found["bad"], found["total"], found["faults"])
        assert (3.0, 110.0, 0.0) == (third["bad"], third["total"], third["faults"])
        assert 0 < third["covered"] < 60

    def test_service_that_is_asked_to_end_loses_nothing(self, start: Start, tmp_path: Path) -> None:
        """A service that ends by SIGTERM loses no event."""
        path = {"OTEL_META_SLO_PATH": str(tmp_path / "slo")}
        first = start(**path)
        first.do("serve 100 2")
        first.terminate()
        found = start(**path).do("look")

        assert (2.0, 100.0) == (found["bad"], found["total"])

    def test_killed_workers_lose_nothing_and_count_nothing_twice(
        self, start: Start, tmp_path: Path
    ) -> None:
        """Workers with shared series lose no event by SIGKILL, and count none twice."""
        shared = {"OTEL_META_MULTIPROCESS_DIR": str(tmp_path / "workers")}
        workers = [start(**shared), start(**shared)]
        for worker in workers:
            worker.do("serve 100 2")
            worker.do("sample")
        workers[0].do("serve 7 1")
        found = [worker.do("look") for worker in workers]
        workers[0].kill()
        workers[1].do("sample")
        workers[1].do("serve 3 1")
        workers[1].kill()
        again = [start(**shared), start(**shared)]
        answers = [worker.do("look") for worker in again]

        assert [(5.0, 207.0)] * 2 == [(each["bad"], each["total"]) for each in found]
        assert [(6.0, 210.0)] * 2 == [(each["bad"], each["total"]) for each in answers]
        assert [0.0, 0.0] == [each["faults"] for each in answers]
