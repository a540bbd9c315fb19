"""ServiceMonitors of prometheus-operator: the Services to scrape."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from otel_meta.render._yaml import comment
from otel_meta.render.hosts import SCRAPE_INTERVAL
from otel_meta.render.options import Kubernetes, Options

from .common_manifests import IN_PROCESS_METRICS, SIDECAR_METRICS, Manifest, labels, manifest
from .gateway_manifests import NAME as GATEWAY

_HONOR_LABELS: Final[Mapping[str, Any]] = {
    **comment("Labels of the service stay; the operator would rename them to exported_..."),
    "honorLabels": True,
}


_NATIVE_HISTOGRAMS: Final[Mapping[str, Any]] = {
    "scrapeNativeHistograms": True,
    "convertClassicHistogramsToNHCB": True,
    **comment("Dashboards and measures read the classic buckets."),
    "scrapeClassicHistograms": True,
}


def monitor_resources(options: Options) -> Iterator[Manifest]:
    """Return monitors of services with a sidecar, services without one, and the gateway."""
    place = options.kubernetes
    histograms = _NATIVE_HISTOGRAMS if options.native_histograms else {}
    collectors = ({"port": "metrics", **_HONOR_LABELS}, {"port": "self-metrics"})
    services = {"port": "http", "path": "/metrics", **_HONOR_LABELS}
    yield _monitor("otel-meta-sidecars", place, SIDECAR_METRICS, *collectors, **histograms)
    yield _monitor("otel-meta-services", place, IN_PROCESS_METRICS, services, **histograms)
    yield _monitor(GATEWAY, place, labels(GATEWAY), *collectors)


def _monitor(
    name: str,
    place: Kubernetes,
    match_labels: Mapping[str, str],
    *endpoints: Mapping[str, Any],
    **more: Any,
) -> Manifest:
    spec = {
        "namespaceSelector": {"any": True},
        "selector": {"matchLabels": dict(match_labels)},
        **more,
        "endpoints": [{**endpoint, "interval": SCRAPE_INTERVAL} for endpoint in endpoints],
    }
    return manifest(
        "monitoring.coreos.com/v1",
        "ServiceMonitor",
        name,
        namespace=place.namespace,
        more_labels=place.labels,
        spec=spec,
    )
