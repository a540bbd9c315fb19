"""The demo's services: processes on loopback, their log lines, and an end that leaves nothing."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from threading import Thread
from typing import IO, Any, Final, Self
from urllib.error import URLError
from urllib.request import urlopen

from otel_meta.errors import UsageError

_START_TIMEOUT: Final = 30.0
_STOP_TIMEOUT: Final = 8.0
_LINES_KEPT: Final = 2000


class Service:
    """One example under uvicorn, in a session of its own so that Ctrl-C is the demo's to handle."""

    def __init__(self, name: str, port: int, folder: Path, environment: Mapping[str, str]) -> None:
        self.name: Final = name
        self.url: Final = f"http://127.0.0.1:{port}"
        self._lines: Final[deque[str]] = deque(maxlen=_LINES_KEPT)
        self._process: Final = subprocess.Popen(  # noqa: S603  # our own example
            [sys.executable, "-m", "uvicorn", f"{name}:app", "--port", str(port)],
            cwd=folder,
            env=os.environ | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        stdout: IO[str] | None = self._process.stdout
        self._reader: Final = Thread(target=self._lines.extend, args=(stdout or (),), daemon=True)
        self._reader.start()

    def wait_until_ready(self) -> None:
        """Wait for /readyz.

        Raises:
            UsageError: the service ended instead, or took too long.
        """
        deadline = time.monotonic() + _START_TIMEOUT
        while time.monotonic() < deadline and self._process.poll() is None:
            if self._answers():
                return
            time.sleep(0.05)
        last = self._lines[-1] if self._lines else "it said nothing"
        raise UsageError(f"{self.name} did not start: {last.strip()}")

    def lines(self) -> list[str]:
        """What it has logged, oldest first."""
        return [line.rstrip() for line in list(self._lines)]

    def get(self, path: str) -> Any:
        """What it answers, as JSON.

        Raises:
            OSError: it does not answer.
        """
        with urlopen(f"{self.url}{path}", timeout=5) as answer:  # noqa: S310  # loopback
            return json.load(answer)

    def stop(self) -> None:
        """End it, gently first."""
        self._process.terminate()
        try:
            self._process.wait(_STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _answers(self) -> bool:
        try:
            self.get("/readyz")
        except (URLError, ConnectionError, TimeoutError):
            return False
        return True


def free_port(wanted: int) -> int:
    """The port wanted on loopback, or any free one if that is taken."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            bound: int = probe.getsockname()[1]
            return bound
    raise UsageError("there is no free port on loopback")


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
