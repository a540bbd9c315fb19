"""Servers with the same history: Prometheus, Thanos' querier in front of it, VictoriaMetrics."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from otel_meta.testing.loopback import LOOPBACK, free_port
from otel_meta.testing.servers import PROMETHEUS, Backend, Program
from tests.backends.clusters.thanos_servers import QUERY, SIDECAR
from tests.backends.fleet.recorded_history import store_history
from tests.backends.query_engines import VictoriaMetrics, backfill
from tests.rules.prometheus_server import fetch
from tests.waiting import wait_until

_CONFIG = "global: {scrape_interval: 1h, external_labels: {replica: a}}\n"
_KEPT = ("--storage.tsdb.retention.time=100y",)


@contextmanager
def prometheus(folder: Path, *more: str) -> Generator[str]:
    """Run a Prometheus with the history and more arguments, and return its URL."""
    store_history(lambda series, times: backfill(series, times, folder))
    server = Backend(
        program=PROMETHEUS, folder=folder, config=_CONFIG, port=0, more=(*_KEPT, *more)
    )
    with server:
        yield server.wait_until_ready().url


@contextmanager
def thanos(folder: Path) -> Generator[str]:
    """Run Thanos' querier in front of a Prometheus with the history."""
    with querier_and_sidecar(folder) as (querier, _):
        yield querier.url


@contextmanager
def querier_and_sidecar(folder: Path) -> Generator[tuple[Backend, Backend]]:
    """Run Thanos' querier, and the sidecar of a Prometheus with the history, its only store."""
    grpc, own = f"{LOOPBACK}:{free_port()}", f"{LOOPBACK}:{free_port()}"
    with prometheus(folder) as url:
        read = (f"--prometheus.url={url}", f"--tsdb.path={folder / 'data'}")
        sidecar = _component(SIDECAR, folder / "sidecar", f"--grpc-address={grpc}", *read)
        querier = _component(QUERY, folder / "query", f"--grpc-address={own}", f"--endpoint={grpc}")
        with sidecar, querier:
            sidecar.wait_until_ready()
            querier.wait_until_ready()
            wait_until(
                lambda: b'"sidecar"' in fetch(f"{querier.url}/api/v1/stores"), "finds no sidecar"
            )
            yield querier, sidecar


def _component(program: Program, folder: Path, *arguments: str) -> Backend:
    return Backend(program=program, folder=folder, config="", port=0, more=arguments)


@contextmanager
def victoria_metrics(folder: Path) -> Generator[str]:
    """Run a VictoriaMetrics with the history."""
    with VictoriaMetrics.running(folder) as server:
        store_history(server.import_series)
        yield server.url


SERVERS: Mapping[str, Callable[[Path], AbstractContextManager[str]]] = {
    "Prometheus": prometheus,
    "Thanos": thanos,
    "VictoriaMetrics": victoria_metrics,
}
