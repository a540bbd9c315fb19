"""The three ways that series take into a Prometheus of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from tests.backends.parity.fleet import Service, fleet
from tests.backends.pipeline import Collector
from tests.backends.servers import Prometheus
from tests.rules.pinned_tools import ROOT

SCRAPED = "scraped from the process"
SIDECAR = "through the Collector"
PUSHED = "pushed to Prometheus"

_COMMITTED = yaml.safe_load((ROOT / "stack" / "prometheus.yml").read_text())
_OWN = {name: _COMMITTED[name] for name in ("otlp", "storage")}
"""What the committed configuration says of OTLP, and of samples that come late."""


class Way(NamedTuple):
    """A fleet, and the Prometheus that its series come to."""

    prometheus: Prometheus
    services: Sequence[Service]

    def work(self) -> None:
        """Have every service record everything once more, and export it."""
        for service in self.services:
            service.work()
            service.export()


def _prometheus(folder: Path, more: Sequence[str], **config: Any) -> Prometheus:
    times = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    text = yaml.safe_dump({"global": times, **_OWN, **config})
    return Prometheus(folder, text, more)


def _scrape(ports: Sequence[int], **options: Any) -> dict[str, Any]:
    targets = [f"127.0.0.1:{port}" for port in ports]
    job = {"job_name": "parity", "static_configs": [{"targets": targets}], **options}
    return {"scrape_configs": [job]}


@contextmanager
def scraped(folder: Path, more: Sequence[str] = (), **config: Any) -> Iterator[Way]:
    """Prometheus scrapes each process."""
    with fleet(prometheus_port=0) as services:
        scrape = _scrape([service.port for service in services])
        with _prometheus(folder / "prometheus", more, **scrape, **config) as prometheus:
            yield Way(prometheus.wait_until_ready(), services)


@contextmanager
def sidecar(folder: Path, more: Sequence[str] = (), **config: Any) -> Iterator[Way]:
    """Processes push to a Collector, which Prometheus scrapes."""
    with Collector("sidecar.yaml", folder / "collector") as collector:
        collector.wait_until_ready()
        scrape = _scrape([collector.ports["METRICS"]], honor_labels=True)
        with (
            fleet(metrics="otlp", otlp_endpoint=collector.otlp) as services,
            _prometheus(folder / "prometheus", more, **scrape, **config) as prometheus,
        ):
            yield Way(prometheus.wait_until_ready(), services)


@contextmanager
def pushed(folder: Path, more: Sequence[str] = (), **config: Any) -> Iterator[Way]:
    """Processes push to Prometheus itself."""
    with _prometheus(folder / "prometheus", more, **config) as prometheus:
        prometheus.wait_until_ready()
        with fleet(metrics="otlp", otlp_endpoint=f"{prometheus.url}/api/v1/otlp") as services:
            yield Way(prometheus, services)


WAYS: Mapping[str, Callable[..., AbstractContextManager[Way]]] = {
    SCRAPED: scraped,
    SIDECAR: sidecar,
    PUSHED: pushed,
}
