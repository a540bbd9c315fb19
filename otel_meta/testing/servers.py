"""Run real servers as processes on loopback: start, wait until ready, stop, kill, start again."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Final, Self
from urllib.error import HTTPError

from otel_meta.errors import UsageError

from .loopback import LOOPBACK, free_port, open_url
from .pinned_tools import find

_START_TIMEOUT: Final = 60.0
_STOP_TIMEOUT: Final = 15.0
_POLL: Final = 0.05
_LINES_IN_ERROR: Final = 5


@dataclass(frozen=True, kw_only=True)
class Program:
    """The command of a server and its readiness endpoint.

    Arguments may name ``{config}``, ``{data}`` (a folder) and ``{port}``.
    """

    binary: str
    arguments: tuple[str, ...]
    ready: str
    """A path that returns status 200 when the server is ready."""


PROMETHEUS: Final = Program(
    binary="prometheus",
    arguments=(
        "--config.file={config}",
        "--storage.tsdb.path={data}",
        f"--web.listen-address={LOOPBACK}:{{port}}",
        "--web.enable-otlp-receiver",
        "--enable-feature=exemplar-storage",
    ),
    ready="/-/ready",
)
ALERTMANAGER: Final = Program(
    binary="alertmanager",
    arguments=(
        "--config.file={config}",
        "--storage.path={data}",
        f"--web.listen-address={LOOPBACK}:{{port}}",
        "--cluster.listen-address=",  # a single instance needs no peers
    ),
    ready="/-/ready",
)
COLLECTOR: Final = Program(binary="otelcol", arguments=("--config={config}",), ready="/")
"""The port is that of the health check; other ports are in the configuration."""
JAEGER: Final = Program(binary="jaeger", arguments=("--config={config}",), ready="/api/services")
"""The port is that of the query API."""


@dataclass(kw_only=True)
class Backend:
    """A server process with files in ``folder``, stopped at the end of the context.

    After a stop the server can be started again, with the same port and the same data.
    """

    program: Program
    folder: Path
    config: str
    port: int
    """0 for any free port."""
    more: tuple[str, ...] = ()
    """Further arguments."""
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    """Added to the environment of this process."""
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.port = self.port or free_port()

    @property
    def url(self) -> str:
        """Base URL."""
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def pid(self) -> int:
        """Process id, once started."""
        return self._running.pid

    def log(self) -> str:
        """Return the output of the server since the first start."""
        path = self._log
        return path.read_text(errors="replace") if path.exists() else ""

    def start(self) -> Self:
        """Start the process, and return before it is ready.

        Raises:
            UsageError: the program is not installed.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        self._config_file.write_text(self.config)
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603  # a program from the table of tools
                self._command(),
                cwd=self.folder,
                env={**os.environ, **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C reaches the caller alone
            )
        return self

    def wait_until_ready(
        self, is_cancelled: Callable[[], bool] | None = None, timeout: float = _START_TIMEOUT
    ) -> Self:
        """Wait until the server is ready.

        Args:
            is_cancelled: asked at each poll; True ends the wait without an error.
            timeout: in seconds.

        Raises:
            UsageError: the process ended, or the time ran out.
        """
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline and self.is_running():
            if self.is_ready() or (is_cancelled is not None and is_cancelled()):
                return self
            time.sleep(_POLL)
        raise UsageError(f"{self.program.binary} did not start: {self._last_lines()}")

    def is_running(self) -> bool:
        """Return True if the process exists, even if paused."""
        return self._process is not None and self._process.poll() is None

    def is_ready(self) -> bool:
        """Return True if the readiness endpoint answers 200."""
        try:
            with open_url(f"{self.url}{self.program.ready}", timeout=1) as response:
                return bool(response.status == HTTPStatus.OK)
        except HTTPError as answer:
            answer.close()
            return False
        except OSError:
            return False

    def stop(self) -> int:
        """Send SIGTERM, and SIGKILL after 15 seconds; return the exit code."""
        process = self._running
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGCONT)
            process.terminate()
        try:
            return process.wait(_STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            return self.kill()

    def kill(self) -> int:
        """Send SIGKILL, as a crash would end the server; return the exit code."""
        self._running.kill()
        return self._running.wait()

    def __enter__(self) -> Self:
        return self if self.is_running() else self.start()

    def __exit__(self, *_: object) -> None:
        if self.is_running():
            self.stop()

    @property
    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise UsageError(f"{self.program.binary} was not started")
        return self._process

    @property
    def _config_file(self) -> Path:
        return self.folder / "config.yaml"

    @property
    def _log(self) -> Path:
        return self.folder / "log"

    def _command(self) -> list[str]:
        values = {"config": self._config_file, "data": self.folder / "data", "port": self.port}
        arguments = (*self.program.arguments, *self.more)
        return [str(find(self.program.binary)), *(a.format(**values) for a in arguments)]

    def _last_lines(self) -> str:
        return " | ".join(self.log().splitlines()[-_LINES_IN_ERROR:]) or "no output"
