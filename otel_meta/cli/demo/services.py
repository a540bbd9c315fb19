"""The demo's services: processes on loopback, their log lines, and an end that leaves nothing."""

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
from urllib.request import ProxyHandler, Request, build_opener

from otel_meta.errors import UsageError

from .stop_signal import Stop

_START_TIMEOUT: Final = 30.0
_STOP_TIMEOUT: Final = 8.0
_ANSWER_TIMEOUT: Final = 5.0
_LINES_KEPT: Final = 2000
_OPEN: Final = build_opener(ProxyHandler({})).open
"""Without the proxies of the environment: what is asked is on this machine."""


class Service:
    """One example under uvicorn, in a session of its own so that Ctrl-C is the demo's to handle."""

    def __init__(self, name: str, port: int, folder: Path, environment: Mapping[str, str]) -> None:
        self.name: Final = name
        self.url: Final = f"http://127.0.0.1:{port}"
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

    def wait_until_ready(self, stop: Stop) -> None:
        """Wait until it serves, or until it is time to end.

        Raises:
            UsageError: the service ended instead, or took too long.
        """
        deadline = time.monotonic() + _START_TIMEOUT
        while time.monotonic() < deadline and self._process.poll() is None:
            if stop.wait(0.05) or (self._listens() and self._answers()):
                return
        raise UsageError(f"{self.name} did not start: {self._last_words()}")

    def lines(self) -> list[str]:
        """What it has logged, oldest first."""
        return [line.rstrip() for line in list(self._lines)]

    def get(self, path: str) -> Any:
        """What it answers, as JSON.

        Raises:
            UsageError: it does not answer.
        """
        return self._ask(Request(f"{self.url}{path}"))  # noqa: S310  # loopback

    def put(self, path: str, content: Mapping[str, Any]) -> Any:
        """What it answers to a change, as JSON.

        Raises:
            UsageError: it does not answer.
        """
        headers = {"content-type": "application/json"}
        body = json.dumps(content).encode()
        return self._ask(Request(f"{self.url}{path}", body, headers, method="PUT"))  # noqa: S310

    def stop(self) -> None:
        """End it, gently first."""
        self._process.terminate()
        try:
            self._process.wait(_STOP_TIMEOUT)
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
        return cast("IO[str]", self._process.stdout)  # there, since it was asked for

    def _read(self) -> None:
        self._lines.extend(self._stdout)

    def _ask(self, request: Request) -> Any:
        try:
            with _OPEN(request, timeout=_ANSWER_TIMEOUT) as answer:
                return json.load(answer)
        except (OSError, ValueError) as error:
            raise UsageError(f"{self.name} does not answer: {self._last_words()}") from error

    def _listens(self) -> bool:
        """Whether it says so itself: at this address another program might answer."""
        return any(self.url in line for line in self.lines())

    def _answers(self) -> bool:
        try:
            self.get("/readyz")
        except UsageError:
            return False
        return True

    def _last_words(self) -> str:
        """The last line that tells of an error, or the last one at all."""
        if self._process.poll() is not None:
            self._reader.join(1)
        lines = [line.strip() for line in self.lines() if line.strip()]
        told = [x for x in lines if "error" in x.lower() and "startup failed" not in x]
        return (told or lines or ["no word"])[-1]


def _without_telemetry(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment without settings meant for another service."""
    return {name: value for name, value in environment.items() if not name.startswith("OTEL_")}


def examples_folder() -> Path:
    """Where the examples are: in the installed package, or beside it in a checkout.

    Raises:
        UsageError: in neither place.
    """
    package = Path(__file__).parents[2]
    for folder in (package / "_examples", package.parent / "examples"):
        if (folder / "storefront.py").is_file():
            return folder
    raise UsageError("the examples are not there; run the demo from a checkout of otel_meta")
