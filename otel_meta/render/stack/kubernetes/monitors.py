"""Which Services prometheus-operator has scraped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from otel_meta.render._yaml import note
from otel_meta.render.stack.hosts import SCRAPE_INTERVAL

from .common_manifests import MONITORING, Manifest, labels, manifest
from .gateway_manifests import NAME as GATEWAY
from .sidecar_manifests import IN_PROCESS, SCRAPED


def monitor_resources() -> Iterator[Manifest]:
    """One a way in which services show their metrics, and one for the gateway's about itself."""
    yield _monitor(
        "otel-meta-sidecars",
        SCRAPED,
        {
            "port": "metrics",
            **note("job and instance say which service it is, not which sidecar."),
            "honorLabels": True,
        },
        {"port": "self-metrics"},
    )
    yield _monitor("otel-meta-services", IN_PROCESS, {"port": "http", "path": "/metrics"})
    yield _monitor(GATEWAY, labels(GATEWAY), {"port": "self-metrics"})


def _monitor(name: str, chosen: Mapping[str, str], *endpoints: Mapping[str, Any]) -> Manifest:
    spec = {
        "namespaceSelector": {"any": True},
        "selector": {"matchLabels": dict(chosen)},
        "endpoints": [{**endpoint, "interval": SCRAPE_INTERVAL} for endpoint in endpoints],
    }
    return manifest(
        "monitoring.coreos.com/v1", "ServiceMonitor", name, namespace=MONITORING, spec=spec
    )
