"""Programs and servers under an injector, with the entry points of this tree."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from opentelemetry.instrumentation import auto_instrumentation
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from otel_meta.testing import OtlpReceiver
from otel_meta.testing.loopback import free_port
from tests.conftest import PATIENCE, Run, environment, wait_until

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
INJECTOR = Path(auto_instrumentation.__file__).parent
"""The folder of the module ``sitecustomize``, which the operator of Kubernetes adds to the path."""
ENTRY_POINTS: Mapping[str, Mapping[str, str]] = {
    group: entries
    for group, entries in tomllib.loads((ROOT / "pyproject.toml").read_text())["project"][
        "entry-points"
    ].items()
    if group.startswith("opentelemetry_")
}

APP = """
import logging
from fastapi import FastAPI

app = FastAPI()

@app.get("/items/{item_id}")
async def item(item_id: int) -> int:
    logging.getLogger("shop").warning("found")
    return item_id

def create() -> FastAPI:
    return app
"""
"""An application without a line of telemetry."""


def entry_points_folder(folder: Path) -> Path:
    """Write the entry points of this tree as those of an installed package, and return the folder.

    An installed otel_meta may be another tree, or older than a change of pyproject.toml.
    """
    info = folder / "otel_meta-0.dist-info"
    info.mkdir()
    info.joinpath("METADATA").write_text("Metadata-Version: 2.1\nName: otel_meta\nVersion: 0\n")
    lines = [
        f"[{group}]\n" + "".join(f"{name} = {value}\n" for name, value in entries.items())
        for group, entries in ENTRY_POINTS.items()
    ]
    info.joinpath("entry_points.txt").write_text("\n".join(lines))
    return folder


class Injected:
    """Environment and commands of processes under the injector."""

    def __init__(self, folder: Path) -> None:
        self._path = os.pathsep.join([str(entry_points_folder(folder)), str(ROOT)])

    def environment(self, given: Mapping[str, str], *, by_path: bool = False) -> dict[str, str]:
        """Return the environment; ``by_path`` injects as an operator does, without a command."""
        path = os.pathsep.join([str(INJECTOR), self._path]) if by_path else self._path
        own = {
            "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": path,
            "OTEL_SERVICE_NAME": "shop",
            "OTEL_META_REPO": "aurora-fullstack-saas",
        }
        return environment({**own, **given})

    def command(self, *words: str, by_path: bool = False) -> list[str]:
        """Return the words of a command line."""
        injector = [] if by_path else [str(BIN / "opentelemetry-instrument")]
        return [*injector, *words]


class InjectedServer:
    """A server of an application without telemetry of its own, which exports over OTLP.

    Args:
        injected: environment and commands.
        folder: folder of the source and of the output.
        words: the command; ``{port}`` stands for the port.
        source: source of the module ``service``.
        by_path: inject as an operator does.
        given: environment variables.
    """

    def __init__(
        self,
        injected: Injected,
        folder: Path,
        words: tuple[str, ...],
        *,
        source: str = APP,
        by_path: bool = False,
        given: Mapping[str, str],
    ) -> None:
        folder.joinpath("service.py").write_text(source)
        self._out = folder / "out"
        self.receiver = OtlpReceiver()
        self.receiver.__enter__()
        self._port = free_port()
        variables = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": self.receiver.endpoint,
            "OTEL_METRICS_EXPORTER": "otlp,prometheus",
            "OTEL_META_METRICS_IN_APP": "true",
            **given,
        }
        with self._out.open("wb") as out:
            self.process = subprocess.Popen(
                injected.command(
                    *(word.format(port=self._port) for word in words), by_path=by_path
                ),
                cwd=folder,
                env=injected.environment(variables, by_path=by_path),
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        wait_until(lambda: self._listens() or self.process.poll() is not None)
        assert self.process.poll() is None, self.output

    @property
    def output(self) -> str:
        """Standard output and standard error until now."""
        return self._out.read_text()

    def get(self, path: str) -> httpx.Response:
        """Send a GET request on a connection of its own."""
        return httpx.get(f"http://127.0.0.1:{self._port}{path}", timeout=PATIENCE, trust_env=False)

    def stop(self) -> None:
        """Stop by SIGTERM, and wait for the end."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(PATIENCE)

    def close(self) -> None:
        """Kill all processes of the server, and stop to receive."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(PATIENCE)
        self.receiver.__exit__(None, None, None)

    def server_spans(self) -> list[str]:
        """Return the names of the received server spans."""
        return [
            span.name
            for request in self.receiver.requests_of(ExportTraceServiceRequest)
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
            if span.kind == Span.SPAN_KIND_SERVER
        ]

    def durations(self) -> int:
        """Return the number of samples of the durations of requests, in all processes."""
        latest = {
            (resource.resource.SerializeToString(), str(point.attributes)): point.count
            for request in self.receiver.requests_of(ExportMetricsServiceRequest)
            for resource in request.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
            if metric.name == "http.server.request.duration"
            for point in metric.histogram.data_points
        }
        return sum(latest.values())

    def _listens(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self._port), timeout=1).close()
        except OSError:
            return False
        return True


StartServer = Callable[..., InjectedServer]
RunInjected = Callable[..., Run]


@pytest.fixture(scope="session")
def injected(tmp_path_factory: pytest.TempPathFactory) -> Injected:
    """Environment and commands of processes under the injector."""
    return Injected(tmp_path_factory.mktemp("entry-points"))


@pytest.fixture(scope="module")
def start_server(
    injected: Injected, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[StartServer]:
    """Function that starts a server under the injector."""
    started: list[InjectedServer] = []

    def start(*words: str, **options: Any) -> InjectedServer:
        folder = tmp_path_factory.mktemp("server")
        given = {name: options.pop(name) for name in list(options) if name.isupper()}
        started.append(InjectedServer(injected, folder, words, given=given, **options))
        return started[-1]

    yield start
    for server in started:
        server.close()


@pytest.fixture
def run_injected(injected: Injected, tmp_path: Path) -> RunInjected:
    """Function that runs a program from source text under the injector."""

    def run(source: str, *, by_path: bool = False, **given: str) -> Run:
        tmp_path.joinpath("program.py").write_text(source)
        done = subprocess.run(
            injected.command(sys.executable, "program.py", by_path=by_path),
            cwd=tmp_path,
            env=injected.environment(given, by_path=by_path),
            capture_output=True,
            check=False,
            text=True,
            timeout=PATIENCE,
        )
        return Run(done.returncode, done.stdout, done.stderr, 0.0)

    return run
