"""Examples as processes of their own: started for real, asked over the network, and stopped."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
PATIENCE = 20.0  # seconds; for a machine that is busy, and never waited out where things work
SETTINGS = ("OTEL_", "STOREFRONT_", "PAYMENTS_", "INFERENCE_")
LISTENING = re.compile(r"Uvicorn running on (http://127\.0\.0\.1:\d+)")


def eventually(holds: Callable[[], Any]) -> bool:
    """Whether something becomes true before patience ends."""
    deadline = time.monotonic() + PATIENCE
    while not (found := holds()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return bool(found)


def environment(**given: str) -> dict[str, str]:
    """The environment without what would set telemetry up differently on another machine."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(SETTINGS)}
    return {**kept, **given}


class Samples:
    """What a scrape showed."""

    def __init__(self, text: str) -> None:
        families = text_string_to_metric_families(text)
        self._samples = [sample for family in families for sample in family.samples]

    def value(self, name: str, **labels: str) -> float | None:
        """The sum of the series that have these labels; None where there is none."""
        found = [
            sample.value
            for sample in self._samples
            if sample.name == name and labels.items() <= sample.labels.items()
        ]
        return sum(found) if found else None


class Service:
    """An example that serves HTTP."""

    def __init__(self, process: subprocess.Popen[bytes], stdout: Path, stderr: Path) -> None:
        self.process = process
        self._stdout = stdout
        self._stderr = stderr
        started = eventually(lambda: self._address() or process.poll() is not None)
        assert started, self.said()
        assert process.poll() is None, self.said()
        self.url = self._address()
        self.http = httpx.Client(base_url=self.url, trust_env=False, timeout=PATIENCE)

    def metrics(self) -> Samples:
        """What /metrics shows now."""
        return Samples(self.http.get("/metrics").raise_for_status().text)

    def shows(self, expected: float, name: str, **labels: str) -> bool:
        """Whether a series comes to a value: some are recorded after the response has left."""
        return eventually(lambda: self.metrics().value(name, **labels) == expected)

    def slo(self, name: str) -> dict[str, Any]:
        """How an SLO stands on /slo."""
        slos = self.http.get("/slo").raise_for_status().json()["slos"]
        return next(slo for slo in slos if slo["name"] == name)

    def reaches(self, state: str, slo: str) -> bool:
        """Whether an SLO comes to a state."""
        return eventually(lambda: self.slo(slo)["state"] == state)

    def eventually(self, holds: Callable[[], Any]) -> bool:
        """Whether something becomes true while it runs."""
        return eventually(holds)

    def lines(self) -> list[dict[str, Any]]:
        """What it has logged."""
        return [json.loads(line) for line in self._stdout.read_text().splitlines()]

    def lines_of(self, event: str) -> list[dict[str, Any]]:
        """What it has logged about an event, waited for."""
        eventually(lambda: any(line["event"] == event for line in self.lines()))
        return [line for line in self.lines() if line["event"] == event]

    def said(self) -> str:
        """All that it wrote, for when it went wrong."""
        return self._stdout.read_text() + self._stderr.read_text()

    def complaints(self) -> str:
        """What it wrote outside of its log."""
        return self._stderr.read_text()

    def stop(self) -> int:
        """Ask it to stop; its exit code."""
        self.http.close()
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)

    def _address(self) -> str:
        found = LISTENING.search(self._stdout.read_text())
        return found[1] if found else ""


Start = Callable[..., Service]


@contextmanager
def starting(folder: Path) -> Iterator[Start]:
    """Starts services, and leaves none of them behind."""
    services: list[Service] = []
    processes: list[subprocess.Popen[bytes]] = []

    def start(*command: str, **environ: str) -> Service:
        stdout, stderr = folder / f"{len(processes)}.out", folder / f"{len(processes)}.err"
        with stdout.open("wb") as out, stderr.open("wb") as err:
            process = subprocess.Popen(
                [sys.executable, *command, "--port", "0"],
                cwd=EXAMPLES.parent,
                env=environment(**environ),
                stdout=out,
                stderr=err,
            )
        processes.append(process)
        services.append(Service(process, stdout, stderr))
        return services[-1]

    try:
        yield start
        for service in services:
            if service.process.poll() is None:
                assert -signal.SIGTERM == service.stop(), service.said()
            assert "" == service.complaints(), service.said()
    finally:
        for process in processes:
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """Starts an example by its command; it runs until the module's tests are done."""
    with starting(tmp_path_factory.mktemp("services")) as start:
        yield start


@pytest.fixture(scope="session")
def run() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs an example to its end."""

    def run(*command: str, **environ: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *command],
            cwd=EXAMPLES.parent,
            env=environment(**environ),
            capture_output=True,
            check=False,
            text=True,
            timeout=PATIENCE,
        )

    return run


@pytest.fixture(scope="session")
def samples() -> type[Samples]:
    """Reads what a scrape showed."""
    return Samples
