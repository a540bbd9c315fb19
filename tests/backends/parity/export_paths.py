"""The export paths of series, each with a separate fleet and Prometheus."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from otel_meta.model.identity import PLACES, Identity
from otel_meta.render.collector.sidecar import IDENTITY as SIDECAR_IDENTITY
from otel_meta.render.collector.sidecar import sidecar_config
from otel_meta.render.stack.prometheus_config import prometheus_file
from tests.backends.alerting_servers import Prometheus
from tests.backends.collector_server import Collector
from tests.backends.parity.recording_fleet import RecordingService, recording_fleet
from tests.yaml_files import read_yaml

SCRAPED = "scraped from the process"
SCRAPED_2 = "scraped from the process in OpenMetrics 2.0"
SIDECAR = "through the Collector"
PUSHED = "pushed to Prometheus"

_IDENTITY = Identity((*PLACES, "cloud_region"))
"""The identity of a project that adds a label, for the generated configurations."""
_GENERATED = read_yaml(prometheus_file(_IDENTITY))
_GENERATED_OPTIONS = {name: _GENERATED[name] for name in ("otlp", "storage")}
"""The options of the generated configuration for OTLP and for late samples."""
_PROCESSORS = {SIDECAR_IDENTITY: sidecar_config(_IDENTITY)["processors"][SIDECAR_IDENTITY]}


class ExportPath(NamedTuple):
    """A fleet, and the Prometheus with the series of the fleet."""

    prometheus: Prometheus
    services: Sequence[RecordingService]

    def record_and_export(self) -> None:
        """Have every service record once with everything, and export."""
        for service in self.services:
            service.record()
            service.export()


ExportPaths = Mapping[str, ExportPath]


def _prometheus(folder: Path, more: Sequence[str], **config: Any) -> Prometheus:
    intervals = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    text = yaml.safe_dump({"global": intervals, **_GENERATED_OPTIONS, **config})
    return Prometheus(folder, text, more)


def _scrape_config(ports: Sequence[int], **options: Any) -> dict[str, Any]:
    targets = [f"127.0.0.1:{port}" for port in ports]
    job = {"job_name": "parity", "static_configs": [{"targets": targets}], **options}
    return {"scrape_configs": [job]}


@contextmanager
def scraped(
    folder: Path,
    more: Sequence[str] = (),
    protocols: Sequence[str] = ("OpenMetricsText1.0.0",),
    **config: Any,
) -> Iterator[ExportPath]:
    """Run a Prometheus that scrapes each process."""
    with recording_fleet(prometheus_port=0) as services:
        ports = [service.port for service in services]
        scrape = _scrape_config(ports, scrape_protocols=[*protocols])
        with _prometheus(folder / "prometheus", more, **scrape, **config) as prometheus:
            yield ExportPath(prometheus.wait_until_ready(), services)


@contextmanager
def scraped_2(folder: Path, more: Sequence[str] = (), **config: Any) -> Iterator[ExportPath]:
    """Run a Prometheus that scrapes each process in OpenMetrics 2.0, as the generated one does."""
    protocols = _GENERATED["global"]["scrape_protocols"]
    flags = (*more, "--enable-feature=openmetrics2")
    with scraped(folder, flags, protocols=protocols, **config) as path:
        yield path


@contextmanager
def through_sidecar(folder: Path, more: Sequence[str] = (), **config: Any) -> Iterator[ExportPath]:
    """Run processes with push to a Collector, and a Prometheus that scrapes the Collector."""
    change = {"processors": _PROCESSORS}
    with Collector("sidecar.yaml", folder / "collector", change) as collector:
        scrape = _scrape_config([collector.ports["METRICS"]], honor_labels=True)
        with _prometheus(folder / "prometheus", more, **scrape, **config) as prometheus:
            collector.wait_until_ready()
            with recording_fleet(metrics="otlp", otlp_endpoint=collector.otlp) as services:
                yield ExportPath(prometheus.wait_until_ready(), services)


@contextmanager
def pushed(folder: Path, more: Sequence[str] = (), **config: Any) -> Iterator[ExportPath]:
    """Run processes with push to Prometheus."""
    with _prometheus(folder / "prometheus", more, **config) as prometheus:
        endpoint = f"{prometheus.wait_until_ready().url}/api/v1/otlp"
        with recording_fleet(metrics="otlp", otlp_endpoint=endpoint) as services:
            yield ExportPath(prometheus, services)


PATHS: Mapping[str, Callable[..., AbstractContextManager[ExportPath]]] = {
    SCRAPED: scraped,
    SIDECAR: through_sidecar,
    PUSHED: pushed,
}
"""The paths with series of their own kind."""
ALL_PATHS = {**PATHS, SCRAPED_2: scraped_2}


@contextmanager
def export_paths(
    paths: Iterable[str], folder: Path, more: Sequence[str] = (), **config: Any
) -> Iterator[ExportPaths]:
    """Run export paths.

    Args:
        paths: keys of `ALL_PATHS`.
        folder: the parent of all files.
        more: further arguments of each Prometheus.
        config: further options in the configuration of each Prometheus.
    """
    with ExitStack() as stack:
        yield {
            name: stack.enter_context(ALL_PATHS[name](folder / name, more, **config))
            for name in paths
        }
