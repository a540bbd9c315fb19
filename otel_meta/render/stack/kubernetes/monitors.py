"""ServiceMonitors of prometheus-operator: the Services to scrape."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from otel_meta.render._yaml import comment
from otel_meta.render.hosts import SCRAPE_INTERVAL

from .common_manifests import MONITORING_NAMESPACE, Manifest, labels, manifest
from .gateway_manifests import NAME as GATEWAY
from .sidecar_manifests import IN_PROCESS_METRICS, SIDECAR_METRICS


def monitor_resources() -> Iterator[Manifest]:
    """Return monitors of services with a sidecar, services without one, and the gateway."""
    yield _monitor(
        "otel-meta-sidecars",
        SIDECAR_METRICS,
        {
            "port": "metrics",
            **comment("job and instance are labels of the service, not of the sidecar."),
            "honorLabels": True,
        },
        {"port": "self-metrics"},
    )
    yield _monitor("otel-meta-services", IN_PROCESS_METRICS, {"port": "http", "path": "/metrics"})
    yield _monitor(GATEWAY, labels(GATEWAY), {"port": "self-metrics"})


def _monitor(name: str, match_labels: Mapping[str, str], *endpoints: Mapping[str, Any]) -> Manifest:
    spec = {
        "namespaceSelector": {"any": True},
        "selector": {"matchLabels": dict(match_labels)},
        "endpoints": [{**endpoint, "interval": SCRAPE_INTERVAL} for endpoint in endpoints],
    }
    return manifest(
        "monitoring.coreos.com/v1",
        "ServiceMonitor",
        name,
        namespace=MONITORING_NAMESPACE,
        spec=spec,
    )
