"""Fixtures for examples: they run as processes and serve on loopback."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.waiting import poll

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
PATIENCE = 20.0
"""Seconds until a condition that is still false is a failure."""
SETTINGS = ("OTEL_", "STOREFRONT_", "PAYMENTS_", "INFERENCE_")
LISTENING = re.compile(r"Uvicorn running on (http://127\.0\.0\.1:\d+)")


def eventually(condition: Callable[[], Any]) -> bool:
    """Return True if a condition becomes true in time."""
    return bool(poll(condition, PATIENCE, interval=0.02))


def environment(**given: str) -> dict[str, str]:
    """Return the environment without the variables of telemetry and the examples.

    The examples live for seconds, which no SLO would call a breach of its period by default.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith(SETTINGS)}
    return {**kept, "OTEL_META_SLO_REQUIRED_COVERAGE": "0", **given}


class Samples:
    """The samples of a scrape."""

    def __init__(self, text: str) -> None:
        families = text_string_to_metric_families(text)
        self._samples = [sample for family in families for sample in family.samples]

    def value(self, name: str, **labels: str) -> float | None:
        """Return the sum of the series with these labels, or None."""
        found = [
            sample.value
            for sample in self._samples
            if sample.name == name and labels.items() <= sample.labels.items()
        ]
        return sum(found) if found else None


class Service:
    """A running example with an HTTP server."""

    def __init__(self, process: subprocess.Popen[bytes], stdout: Path, stderr: Path) -> None:
        self.process = process
        self._stdout = stdout
        self._stderr = stderr
        started = eventually(lambda: self._address() or process.poll() is not None)
        assert started, self.output()
        assert process.poll() is None, self.output()
        self.url = self._address()
        self.http = httpx.Client(base_url=self.url, trust_env=False, timeout=PATIENCE)

    def metrics(self) -> Samples:
        """Scrape /metrics."""
        return Samples(self.http.get("/metrics").raise_for_status().text)

    def shows(self, expected: float, name: str, **labels: str) -> bool:
        """Return True if a series reaches a value in time, as after a response."""
        return eventually(lambda: self.metrics().value(name, **labels) == expected)

    def slo(self, name: str) -> dict[str, Any]:
        """Return the status of an SLO on /slo."""
        slos = self.http.get("/slo").raise_for_status().json()["slos"]
        return next(slo for slo in slos if slo["name"] == name)

    def reaches(self, state: str, slo: str) -> bool:
        """Return True if an SLO reaches a state in time."""
        return eventually(lambda: self.slo(slo)["state"] == state)

    def eventually(self, condition: Callable[[], Any]) -> bool:
        """Return True if a condition becomes true in time."""
        return eventually(condition)

    def lines(self) -> list[dict[str, Any]]:
        """Return the log lines."""
        return [json.loads(line) for line in self._stdout.read_text().splitlines()]

    def lines_of(self, event: str) -> list[dict[str, Any]]:
        """Wait for an event, and return its log lines."""
        eventually(lambda: any(line["event"] == event for line in self.lines()))
        return [line for line in self.lines() if line["event"] == event]

    def output(self) -> str:
        """Return all output, for a failed test."""
        return self._stdout.read_text() + self._stderr.read_text()

    def error_output(self) -> str:
        """Return the error output."""
        return self._stderr.read_text()

    def stop(self) -> int:
        """Send SIGTERM, and return the exit code."""
        self.http.close()
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)

    def _address(self) -> str:
        found = LISTENING.search(self._stdout.read_text())
        return found[1] if found else ""


Start = Callable[..., Service]


@contextmanager
def service_starter(folder: Path) -> Iterator[Start]:
    """Context manager for a function that starts services; at the end they are stopped."""
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
                assert -signal.SIGTERM == service.stop(), service.output()
            assert "" == service.error_output(), service.output()
    finally:
        for process in processes:
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """Function that starts an example; it runs until the end of the module's tests."""
    with service_starter(tmp_path_factory.mktemp("services")) as start:
        yield start


@pytest.fixture(scope="session")
def run() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Function that runs an example to its end."""

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
    """The class that parses a scrape."""
    return Samples
