"""What tests of a process need: servers on loopback, processes of their own, and patience."""

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

from otel_meta.cli.demo.ports import free_port

# A busy machine is no failure; what a property claims does not depend on time.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

PATIENCE = 20.0
"""Seconds until something that should happen is taken not to happen."""

Serving = Callable[..., AbstractContextManager[httpx.Client]]
Eventually = Callable[[Callable[[], Any]], None]


def wait_until(done: Callable[[], Any]) -> None:
    """Return as soon as something holds, and fail if it never does."""
    deadline = time.monotonic() + PATIENCE
    while not done():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.01)


class Server(uvicorn.Server):
    """Uvicorn, which looks more often whether it is to stop: it is asked to in every test."""

    async def main_loop(self) -> None:
        """Go on until told to stop."""
        while not await self.on_tick(0):  # noqa: ASYNC110  # as uvicorn itself does
            await asyncio.sleep(0.005)


@contextmanager
def serve(app: Any, **options: Any) -> Iterator[httpx.Client]:
    """Serve an application by uvicorn in this process; leaving waits for requests under way."""
    config = uvicorn.Config(app, log_config=None, **options)
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
    """This process' environment without OpenTelemetry's variables, and those that are given."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    return {**own, "PYTHONUNBUFFERED": "1", **given}


def json_lines(text: str) -> list[dict[str, Any]]:
    """Every line, each of which has to be JSON."""
    return [json.loads(line) for line in text.splitlines()]


class Run:
    """A Python program that ran to its end."""

    def __init__(self, code: int, stdout: str, stderr: str, seconds: float) -> None:
        self.code = code
        self.stdout = stdout
        self.stderr = stderr
        self.seconds = seconds

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Standard output, all of it JSON lines."""
        return json_lines(self.stdout)

    def events(self, word: str = "") -> list[str]:
        """What log lines say, those that hold a word."""
        return [line["event"] for line in self.lines if word in line["event"]]


class Service:
    """An application under the `uvicorn` command, in a process of its own."""

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
        """Standard output so far."""
        return self._out.read_text()

    @property
    def stderr(self) -> str:
        """Standard error so far."""
        return self._err.read_text()

    def lines(self, **having: Any) -> list[dict[str, Any]]:
        """Log lines that have these fields."""
        return [line for line in json_lines(self.stdout) if having.items() <= line.items()]

    def get(self, path: str, **options: Any) -> httpx.Response:
        """Ask for something."""
        with httpx.Client(base_url=self.url, timeout=PATIENCE, trust_env=False) as client:
            return client.get(path, **options)

    def stop(self, number: int = signal.SIGTERM) -> float:
        """Send a signal; seconds until the process was gone."""
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
    """Wait until something holds."""
    return wait_until


@pytest.fixture(scope="session")
def serving() -> Serving:
    """Serve an application on loopback."""
    return serve


@pytest.fixture
def closed_port() -> int:
    """A port that refuses connections."""
    return free_port()


@pytest.fixture
def black_hole() -> Iterator[str]:
    """The URL of a socket that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Service]]:
    """Start an application from its source, with these environment variables."""
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
    """Run a program from its source to its end, with these environment variables."""

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
