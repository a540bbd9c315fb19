"""Real servers on loopback: found, started, waited for, made to stumble, and ended."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self
from urllib.request import ProxyHandler, build_opener

from otel_meta.errors import UsageError

from .ports import LOOPBACK, free_port
from .stop_signal import Stop

_START_TIMEOUT: Final = 60.0
_STOP_TIMEOUT: Final = 15.0
_POLL: Final = 0.05
_LAST_WORDS: Final = 5
_OPEN: Final = build_opener(ProxyHandler({})).open
"""Without the proxies of the environment: what is asked is on this machine."""


@dataclass(frozen=True, kw_only=True)
class Program:
    """How a server is started, and where it says that it is ready.

    Arguments may name ``{config}``, ``{data}`` (a folder) and ``{port}``.
    """

    binary: str
    arguments: tuple[str, ...]
    ready: str
    """Path on its port that is answered with 200 once it serves."""


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
        "--cluster.listen-address=",  # alone, it needs no peers
    ),
    ready="/-/ready",
)
COLLECTOR: Final = Program(binary="otelcol", arguments=("--config={config}",), ready="/")
"""Its port is that of the health check; the others are named in its configuration."""
JAEGER: Final = Program(binary="jaeger", arguments=("--config={config}",), ready="/api/services")
"""Its port is that of the query API."""


@dataclass(kw_only=True)
class Backend:
    """One server: its files are in ``folder``, and as a context manager it ends with the context.

    Started again after its end, it finds its port and its data as they were.
    """

    program: Program
    folder: Path
    config: str
    port: int
    """0 for any free one."""
    more: tuple[str, ...] = ()
    """Further arguments."""
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    """Added to that of this process."""
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.port = self.port or free_port()

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def pid(self) -> int:
        """Its process, while it runs."""
        return self._running.pid

    def log(self) -> str:
        """What it has written since it was first started."""
        path = self._log
        return path.read_text(errors="replace") if path.exists() else ""

    def start(self) -> Self:
        """Start it; it may take a moment until it is ready.

        Raises:
            UsageError: it is not installed.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        self._config_file.write_text(self.config)
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603  # a program of ours, found by name
                self._command(),
                cwd=self.folder,
                env={**os.environ, **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is its user's to handle
            )
        return self

    def wait_until_ready(self, stop: Stop | None = None) -> Self:
        """Wait until it serves, or until it is time to end.

        Raises:
            UsageError: it ended instead, or took too long.
        """
        deadline = time.monotonic() + _START_TIMEOUT
        while time.monotonic() < deadline and self.is_running():
            if self.is_ready() or (stop is not None and stop.is_set()):
                return self
            time.sleep(_POLL)
        raise UsageError(f"{self.program.binary} did not start: {self._last_words()}")

    def is_running(self) -> bool:
        """Whether its process is there, be it paused."""
        return self._process is not None and self._process.poll() is None

    def is_ready(self) -> bool:
        """Whether it says so."""
        try:
            with _OPEN(f"{self.url}{self.program.ready}", timeout=1) as answer:
                return bool(answer.status == 200)  # noqa: PLR2004  # HTTP's "OK"
        except OSError:
            return False

    def stop(self) -> int:
        """End it gently, and by force if that takes too long; its exit code."""
        process = self._running
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGCONT)
            process.terminate()
        try:
            return process.wait(_STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            return self.kill()

    def kill(self) -> int:
        """End it as a crash would, with nothing written or said; its exit code."""
        self._running.kill()
        return self._running.wait()

    def pause(self) -> None:
        """Let it hang: it keeps its connections and answers nothing."""
        self._running.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        self._running.send_signal(signal.SIGCONT)

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
        places = {"config": self._config_file, "data": self.folder / "data", "port": self.port}
        arguments = (*self.program.arguments, *self.more)
        return [str(find(self.program.binary)), *(a.format(**places) for a in arguments)]

    def _last_words(self) -> str:
        return " | ".join(self.log().splitlines()[-_LAST_WORDS:]) or "no word"


def find(binary: str) -> Path:
    """A program: in a folder of OTEL_META_TOOLS, then as tools/build.py built it, then on PATH.

    Raises:
        UsageError: it is in none of them.
    """
    for folder in _folders():
        if path := shutil.which(binary, path=folder):
            return Path(path).absolute()
    raise UsageError(
        f"{binary} is not installed: run `make tools` in a checkout of otel_meta, "
        "or name its folder in OTEL_META_TOOLS"
    )


def _folders() -> Iterator[str]:
    yield from _listed("OTEL_META_TOOLS")
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    yield from sorted(map(str, Path(base).absolute().glob("otel-meta/tools/[!.]*")), reverse=True)
    yield from _listed("PATH")


def _listed(variable: str) -> Iterator[str]:
    return (folder for folder in os.environ.get(variable, "").split(os.pathsep) if folder)
