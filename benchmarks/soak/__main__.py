"""Soak test: a service with two workers under mixed load, for ten minutes by default.

    python benchmarks/soak [--seconds 600]

Requests, signals whose handlers record and log, forked children, new and removed series, scrapes,
and a Collector that refuses half of the time. At the end, the totals on the metrics page, the
received spans and the faults are compared with the account of the workers. The growth of memory,
threads and descriptors is the difference between the second and the last fifth of the time.

The exit code is 1 if an event is missing or counted twice, or if a resource grows.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterator
from http import HTTPStatus
from itertools import count
from pathlib import Path
from typing import Final, NamedTuple

import httpx

from otel_meta.testing.loopback import free_port
from otel_meta.testing.otlp_receiver import OtlpReceiver

_HERE: Final = Path(__file__).parent
_WORKERS: Final = 2
_CONNECTIONS: Final = 8
_FLAP_SECONDS: Final = 15.0
_SAMPLE_SECONDS: Final = 2.0
_START_SECONDS: Final = 60.0
_MAX_MEMORY_GROWTH: Final = 8.0
"""MB of resident memory, within the noise of the allocator."""
_LINE: Final = re.compile(r"^(\w+)(?:\{(.*)\})? (\S+)", re.MULTILINE)


class Resources(NamedTuple):
    """Use of a process: resident memory in MB, open descriptors, and threads."""

    memory: float
    descriptors: float
    threads: float


class FlappingCollector(OtlpReceiver):
    """Receives OTLP, and refuses every other period; counts the spans instead of keeping them."""

    def __init__(self) -> None:
        super().__init__()
        self.span_count = 0
        self.is_steady = False

    def receive(self, path: str, body: bytes) -> int:
        """Count the spans of a request, or refuse the request."""
        is_up = self.is_steady or time.monotonic() % (2 * _FLAP_SECONDS) < _FLAP_SECONDS
        self.status = HTTPStatus.OK if is_up else HTTPStatus.SERVICE_UNAVAILABLE
        status = super().receive(path, body)
        self.span_count += len(self.spans())
        self._requests.clear()
        return status


class Service:
    """The service, in processes of its own."""

    def __init__(self, folder: Path, collector: FlappingCollector) -> None:
        self.url = f"http://127.0.0.1:{(port := free_port())}"
        self._output = (folder / "log").open("wb")
        command = [sys.executable, "-m", "uvicorn", "service:app", "--workers", str(_WORKERS)]
        self.process = subprocess.Popen(  # noqa: S603  # the service of this folder
            [*command, "--port", str(port), "--no-access-log"],
            cwd=_HERE,
            env={
                **os.environ,
                "OTEL_META_MULTIPROCESS_DIR": str(folder / "metrics"),
                "OTEL_EXPORTER_OTLP_ENDPOINT": collector.endpoint,
                "OTEL_BSP_SCHEDULE_DELAY": "500",
            },
            stdout=self._output,
            stderr=subprocess.STDOUT,
        )

    def resources(self) -> dict[int, Resources]:
        """Return the use of each worker, by process id."""
        return {pid: _resources(pid) for pid in self._workers()}

    def interrupt(self) -> None:
        """Send the signal whose handler records to each worker."""
        for pid in self._workers():
            os.kill(pid, signal.SIGUSR1)

    def stop(self) -> int:
        """Stop the service, and return its exit code."""
        self.process.terminate()
        code = self.process.wait(60)
        self._output.close()
        return code

    def _workers(self) -> Iterator[int]:
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        for pid in children.read_text().split():
            if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes():
                yield int(pid)


def _resources(pid: int) -> Resources:
    folder = Path(f"/proc/{pid}")
    status = dict(re.findall(r"^(\w+):\s+(\d+)", (folder / "status").read_text(), re.MULTILINE))
    descriptors = len(list((folder / "fd").iterdir()))
    return Resources(int(status["VmRSS"]) / 1000, descriptors, int(status["Threads"]))


class Soak:
    """Load on a service, and samples of its resources."""

    def __init__(self, service: Service, client: httpx.AsyncClient, seconds: float) -> None:
        self._service = service
        self._client = client
        self._end = time.monotonic() + seconds
        self._numbers = count()
        self.samples: list[dict[int, Resources]] = []
        self.errors = Counter[str]()

    async def run(self) -> None:
        """Send all load until the end."""
        await asyncio.gather(
            *(self._work() for _ in range(_CONNECTIONS)),
            self._repeat(0.5, "/fork"),
            self._repeat(1, "/metrics"),
            self._repeat(3, "/slo"),
            self._interrupt(),
            self._sample(),
        )

    async def _work(self) -> None:
        while time.monotonic() < self._end:
            await self._get(f"/work/{next(self._numbers)}")
            await asyncio.sleep(0.01)

    async def _repeat(self, seconds: float, path: str) -> None:
        while time.monotonic() < self._end:
            await self._get(path)
            await asyncio.sleep(seconds)

    async def _interrupt(self) -> None:
        while time.monotonic() < self._end:
            self._service.interrupt()
            await asyncio.sleep(0.02)

    async def _sample(self) -> None:
        while time.monotonic() < self._end:
            self.samples.append(self._service.resources())
            await asyncio.sleep(_SAMPLE_SECONDS)

    async def _get(self, path: str) -> None:
        try:
            (await self._client.get(path)).raise_for_status()
        except httpx.HTTPError as error:
            self.errors[f"{path.split('/')[1]}: {error!r}"] += 1


async def _wait_until_ready(client: httpx.AsyncClient) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        try:
            if len(await _accounts(client)) == _WORKERS:
                return
        except httpx.HTTPError:
            await asyncio.sleep(0.2)
    raise SystemExit("the service does not start")


async def _accounts(client: httpx.AsyncClient) -> dict[int, Counter[str]]:
    """Return the account of each worker; a new connection may meet any worker."""
    found: dict[int, Counter[str]] = {}
    for _ in range(40):
        answer = await client.get("/account", headers={"connection": "close"})
        account = answer.json()
        found[account.pop("pid")] = Counter(account)
    return found


def _total(page: str, name: str, *labels: str) -> float:
    return sum(
        float(value)
        for found, body, value in _LINE.findall(page)
        if found == name and all(label in body for label in labels)
    )


def _growth(samples: list[dict[int, Resources]]) -> Resources:
    """Return the largest growth of a worker from the second to the last fifth of the samples."""
    fifth = len(samples) // 5
    early, late = samples[fifth : 2 * fifth], samples[-fifth:]
    by_worker = [
        Resources(
            *(
                max(s[pid][n] for s in late) - max(s[pid][n] for s in early)
                for n in range(len(Resources._fields))
            )
        )
        for pid in samples[0]
    ]
    return Resources(*map(max, zip(*by_worker, strict=True)))


async def _soak(seconds: float) -> bool:
    with tempfile.TemporaryDirectory() as folder, FlappingCollector() as collector:
        service = Service(Path(folder), collector)
        async with httpx.AsyncClient(base_url=service.url, timeout=30) as client:
            await _wait_until_ready(client)
            soak = Soak(service, client, seconds)
            await soak.run()
            collector.is_steady = True
            await asyncio.sleep(10)  # retries end, and the exporters' intervals pass
            page = (await client.get("/metrics")).text
            accounts = await _accounts(client)
        exit_code = service.stop()
    return _report(soak, page, sum(accounts.values(), Counter[str]()), collector, exit_code)


def _report(
    soak: Soak, page: str, account: Counter[str], collector: FlappingCollector, exit_code: int
) -> bool:
    """Print the comparison, and return True if all of it is right."""
    lost = _total(page, "otel_meta_faults_total", 'source="export of traces"')
    rows = {
        "requests": (account["request"], _total(page, "soak_events_total", 'source="request"')),
        "signals": (account["signal"], _total(page, "soak_events_total", 'source="signal"')),
        "children": (account["child"], _total(page, "soak_events_total", 'source="child"')),
        "durations": (account["request"], _total(page, "soak_work_duration_seconds_count")),
    }
    for name, (expected, found) in rows.items():
        print(f"{name:12} {expected:9} expected {found:12.0f} on the page")
    # The spans of the account's own requests end after the page was read.
    missing = account["span"] - collector.span_count - lost
    print(
        f"{'spans':12} {account['span']:9} ended {collector.span_count:9} received {lost:.0f} lost"
    )
    growth = _growth(soak.samples)
    print("growth:", ", ".join(f"{value:.1f} {name}" for name, value in growth._asdict().items()))
    print(f"errors of requests: {dict(soak.errors) or 'none'}; exit code {exit_code}")
    for line in page.splitlines():
        if line.startswith("otel_meta_faults_total"):
            print(line)
    is_exact = all(expected == found for expected, found in rows.values()) and missing <= 0
    is_bounded = growth.memory <= _MAX_MEMORY_GROWTH and max(growth[1:]) <= 1
    return is_exact and is_bounded and not soak.errors and exit_code == 0


if __name__ == "__main__":
    parser = ArgumentParser(description="soak test of a service with two workers")
    parser.add_argument("--seconds", type=float, default=600)
    sys.exit(0 if asyncio.run(_soak(parser.parse_args().seconds)) else 1)
