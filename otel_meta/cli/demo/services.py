"""The demo's services and log lines: processes under uvicorn on loopback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from threading import Thread
from typing import IO, Any, Final, Self, cast
from urllib.error import HTTPError
from urllib.request import Request

from otel_meta.errors import UsageError
from otel_meta.testing.loopback import open_url

from .stop_signal import StopSignal

_START_TIMEOUT: Final = 30.0
_STOP_TIMEOUT: Final = 8.0
_RESPONSE_TIMEOUT: Final = 5.0
_LINES_KEPT: Final = 2000


class Service:
    """One example under uvicorn, stopped at the end of the context.

    The process has a new session, so that Ctrl-C reaches the demo alone.

    Args:
        name: the example's module, with an ``app``.
        port: a free port.
        folder: the folder of the examples.
        environment: added to the environment of this process, without ``OTEL_`` variables.
        log: a file for a copy of the log lines.
        start_timeout: seconds until an unready service is an error.
        stop_timeout: seconds between SIGTERM and SIGKILL.
    """

    def __init__(
        self,
        name: str,
        port: int,
        folder: Path,
        environment: Mapping[str, str],
        *,
        log: Path | None = None,
        start_timeout: float = _START_TIMEOUT,
        stop_timeout: float = _STOP_TIMEOUT,
    ) -> None:
        self._start_timeout: Final = start_timeout
        self._stop_timeout: Final = stop_timeout
        self.name: Final = name
        self.url: Final = f"http://127.0.0.1:{port}"
        self._log: Final = log
        self._lines: Final[deque[str]] = deque(maxlen=_LINES_KEPT)
        self._process: Final = subprocess.Popen(  # noqa: S603  # our own example
            [sys.executable, "-m", "uvicorn", f"{name}:app", "--port", str(port)],
            cwd=folder,
            env={**_without_telemetry(os.environ), **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        )
        self._reader: Final = Thread(target=self._read, daemon=True)
        self._reader.start()

    def wait_until_ready(self, stop: StopSignal) -> None:
        """Wait until the service is ready, or until the signal.

        Raises:
            UsageError: the service ended, or the time ran out.
        """
        deadline = time.monotonic() + self._start_timeout
        while time.monotonic() < deadline and self._process.poll() is None:
            if stop.wait(0.05) or (self._has_logged_url() and self._is_ready()):
                return
        raise UsageError(f"{self.name} did not start: {self._last_error()}")

    def lines(self) -> list[str]:
        """Return the log lines, oldest first."""
        return [line.rstrip() for line in list(self._lines)]

    def get(self, path: str) -> Any:
        """Return the JSON of a path.

        Raises:
            UsageError: there is no such response.
        """
        return self._request(Request(f"{self.url}{path}"))  # noqa: S310  # loopback

    def put(self, path: str, content: Mapping[str, Any]) -> Any:
        """Send JSON to a path, and return the JSON of the response.

        Raises:
            UsageError: there is no such response.
        """
        headers = {"content-type": "application/json"}
        body = json.dumps(content).encode()
        return self._request(Request(f"{self.url}{path}", body, headers, method="PUT"))  # noqa: S310

    def stop(self) -> None:
        """Send SIGTERM, and SIGKILL after the time-out. A second call does nothing."""
        self._process.terminate()
        try:
            self._process.wait(self._stop_timeout)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(1)
        self._stdout.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def _stdout(self) -> IO[str]:
        return cast("IO[str]", self._process.stdout)  # a pipe, see above

    def _read(self) -> None:
        with (self._log or Path(os.devnull)).open("w", buffering=1, encoding="utf-8") as copy:
            for line in self._stdout:
                self._lines.append(line)
                copy.write(line)

    def _request(self, request: Request) -> Any:
        try:
            with open_url(request, timeout=_RESPONSE_TIMEOUT) as response:
                return json.load(response)
        except (OSError, ValueError) as error:
            if isinstance(error, HTTPError):
                error.close()
            raise UsageError(f"{self.name} does not answer: {self._last_error()}") from error

    def _has_logged_url(self) -> bool:
        """Return True if the log has the URL: another program might listen on the port."""
        return any(self.url in line for line in self.lines())

    def _is_ready(self) -> bool:
        try:
            self.get("/readyz")
        except UsageError:
            return False
        return True

    def _last_error(self) -> str:
        """Return the last log line about an error, or else the last log line."""
        if self._process.poll() is not None:
            self._reader.join(1)
        lines = [line.strip() for line in self.lines() if line.strip()]
        errors = [line for line in lines if _is_error(line)]
        return (errors or lines or ["no output"])[-1]


def _is_error(line: str) -> bool:
    """Return True if a line is about an error; uvicorn logs all lines as ``uvicorn.error``."""
    return "error" in line.lower().replace("uvicorn.error", "") and "startup failed" not in line


def _without_telemetry(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment without ``OTEL_`` variables for another service."""
    return {name: value for name, value in environment.items() if not name.startswith("OTEL_")}


def examples_folder() -> Path:
    """Return the folder of the examples: in the installed package, or beside it in a checkout.

    Raises:
        UsageError: the folder is missing.
    """
    package = Path(__file__).parents[2]
    for folder in (package / "_examples", package.parent / "examples"):
        if (folder / "storefront.py").is_file():
            return folder
    raise UsageError("the examples are not installed; run the demo from a checkout of otel_meta")
