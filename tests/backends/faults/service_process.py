"""A commanded service in a separate process, and the values on ``/metrics``."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from tests.conftest import environment
from tests.rules.pinned_tools import ROOT
from tests.rules.prometheus_server import fetch

_FOLDER = Path(__file__).parent


class ServiceProcess:
    """A process with a commanded service.

    Args:
        script: the file of the service.
        variables: environment variables.
    """

    def __init__(self, script: str, variables: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, _FOLDER / script],
            cwd=ROOT,
            env=environment(variables) | {"PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def run(self, command: str, count: int = 0) -> None:
        """Run a command to its end."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(command, count, file=self.process.stdin, flush=True)
        assert "done\n" == self.process.stdout.readline(), "the service has ended"

    def kill(self) -> None:
        """Kill the process, as a crash would end it."""
        self.process.kill()
        self.process.wait()


@contextmanager
def service_process(
    script: str = "commanded_service.py", **variables: str
) -> Iterator[ServiceProcess]:
    """Run a service while the context is open."""
    service = ServiceProcess(script, variables)
    try:
        yield service
    finally:
        service.process.kill()
        service.process.communicate()


def exposed_sum(port: int, name: str, **labels: str) -> int:
    """Return the sum of all series of a metric with these labels on ``/metrics`` of a port."""
    text = fetch(f"http://127.0.0.1:{port}/metrics").decode()
    samples = (s for family in text_string_to_metric_families(text) for s in family.samples)
    return round(
        sum(s.value for s in samples if s.name == name and labels.items() <= s.labels.items())
    )
