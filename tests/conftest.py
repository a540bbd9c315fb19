"""Fixtures for servers on loopback, processes, and waiting for a condition."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest
import uvicorn
from hypothesis import settings

from otel_meta.testing.loopback import free_port
from tests import waiting

# A busy machine is no failure: properties do not depend on time. More examples in each run find
# less than other examples in the next run: hypothesis keeps no seed between runs.
settings.register_profile("patient", deadline=None, max_examples=50)
settings.load_profile("patient")

NO_ZERO_FIRST = {"OTEL_META_SCRAPE_INTERVAL": "0"}
"""Shows each value at once; tests of the zero before the first event set an interval."""
os.environ.update(NO_ZERO_FIRST)

PATIENCE = 20.0
"""Seconds until a condition that is still false is a failure."""

Serving = Callable[..., AbstractContextManager[httpx.Client]]
Eventually = Callable[[Callable[[], Any]], None]


def wait_until(condition: Callable[[], Any]) -> None:
    """Return when a condition is true, and fail if it is false until the time-out."""
    waiting.wait_until(condition, "still false", PATIENCE, interval=0.01)


class Server(uvicorn.Server):
    """Uvicorn that often checks for its end, because each test stops it."""

    async def main_loop(self) -> None:
        """Run until the stop."""
        while not await self.on_tick(0):  # noqa: ASYNC110  # as uvicorn itself does
            await asyncio.sleep(0.005)


@contextmanager
def serve(app: Any, **options: Any) -> Iterator[httpx.Client]:
    """Serve an application by uvicorn in a thread; at the end, wait for active requests."""
    config = uvicorn.Config(app, log_config=None, **{"http": "h11", "loop": "asyncio", **options})
    server = Server(config)
    listening = socket.create_server(("127.0.0.1", 0))
    thread = Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    wait_until(lambda: server.started or not thread.is_alive())
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    try:
        with httpx.Client(base_url=url, timeout=PATIENCE, trust_env=False) as client:
            yield client
    finally:
        server.should_exit = True
        thread.join(PATIENCE)
        listening.close()


def environment(given: Mapping[str, str]) -> dict[str, str]:
    """Return the environment with these variables of OpenTelemetry, and with `NO_ZERO_FIRST`."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    return {**own, **NO_ZERO_FIRST, "PYTHONUNBUFFERED": "1", **given}


def json_lines(text: str) -> list[dict[str, Any]]:
    """Parse each line as JSON."""
    return [json.loads(line) for line in text.splitlines()]


class Run:
    """The result of a finished Python program."""

    def __init__(self, code: int, stdout: str, stderr: str, seconds: float) -> None:
        self.code = code
        self.stdout = stdout
        self.stderr = stderr
        self.seconds = seconds

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Standard output as JSON lines."""
        return json_lines(self.stdout)

    def events(self, word: str = "") -> list[str]:
        """Return the events of the log lines that contain a word."""
        return [line["event"] for line in self.lines if word in line["event"]]


class Service:
    """An application under the `uvicorn` command in a process."""

    def __init__(self, folder: Path, source: str, given: Mapping[str, str]) -> None:
        folder.joinpath("service.py").write_text(source)
        self._out, self._err = folder / "stdout", folder / "stderr"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        command = [sys.executable, "-m", "uvicorn", "service:app", "--port", str(self.port)]
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self.process = subprocess.Popen(
                command, cwd=folder, env=environment(given), stdout=out, stderr=err
            )
        wait_until(lambda: self._listens() or self.process.poll() is not None)

    @property
    def stdout(self) -> str:
        """Standard output until now."""
        return self._out.read_text()

    @property
    def stderr(self) -> str:
        """Standard error until now."""
        return self._err.read_text()

    def lines(self, **having: Any) -> list[dict[str, Any]]:
        """Return the log lines with these fields."""
        return [line for line in json_lines(self.stdout) if having.items() <= line.items()]

    def get(self, path: str, **options: Any) -> httpx.Response:
        """Send a GET request."""
        with httpx.Client(base_url=self.url, timeout=PATIENCE, trust_env=False) as client:
            return client.get(path, **options)

    def stop(self, number: int = signal.SIGTERM) -> float:
        """Send a signal, and return the seconds until the process ended."""
        began = time.monotonic()
        self.process.send_signal(number)
        self.process.wait(PATIENCE)
        return time.monotonic() - began

    def _listens(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True


@pytest.fixture
def eventually() -> Eventually:
    """Function that waits until a condition is true."""
    return wait_until


@pytest.fixture(scope="session")
def serving() -> Serving:
    """Context manager that serves an application on loopback."""
    return serve


@pytest.fixture
def closed_port() -> int:
    """A port without a listener."""
    return free_port()


@pytest.fixture
def black_hole() -> Iterator[str]:
    """The URL of a socket that accepts connections and never responds."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Service]]:
    """Function that starts an application from source text, with environment variables."""
    started: list[Service] = []

    def start(source: str, **given: str) -> Service:
        started.append(Service(tmp_path_factory.mktemp("service"), source, given))
        return started[-1]

    yield start
    for each in started:
        if each.process.poll() is None:
            each.process.kill()
            each.process.wait(PATIENCE)


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Run]:
    """Function that runs a program from source text, with environment variables."""

    def run(source: str, **given: str) -> Run:
        path = tmp_path_factory.mktemp("script") / "script.py"
        path.write_text(source)
        began = time.monotonic()
        done = subprocess.run(
            [sys.executable, path],
            env=environment(given),
            capture_output=True,
            check=False,
            text=True,
            timeout=60,
        )
        return Run(done.returncode, done.stdout, done.stderr, time.monotonic() - began)

    return run
