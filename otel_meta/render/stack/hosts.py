"""Who is where in the stack: images, names, ports, and where files are found in containers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

IMAGES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "collector": "otel/opentelemetry-collector-contrib:0.159.0",
        "prometheus": "prom/prometheus:v3.16.0",
        "alertmanager": "prom/alertmanager:v0.31.1",
        "jaeger": "jaegertracing/jaeger:2.13.0",
        "grafana": "grafana/grafana:12.3.1",
    }
)
"""Those that tools/ builds for the tests, and Grafana."""
EXAMPLES: Final = "otel-meta-examples:local"
"""Built from stack/Dockerfile."""


@dataclass(frozen=True)
class Place:
    """A server in the stack."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://{self}"


STOREFRONT: Final = Place("storefront", 8001)
PAYMENTS: Final = Place("payments", 8002)
INFERENCE: Final = Place("inference", 8003)
NOTIFICATIONS: Final = Place("notifications", 8080)
PROMETHEUS: Final = Place("prometheus", 9090)
ALERTMANAGER: Final = Place("alertmanager", 9093)
JAEGER: Final = Place("jaeger", 16686)
JAEGER_OTLP: Final = Place("jaeger", 4317)
GRAFANA: Final = Place("grafana", 3000)

WITH_SIDECAR: Final = (STOREFRONT, PAYMENTS)
SCRAPED: Final = (INFERENCE,)
GATEWAYS: Final = ("gateway-1", "gateway-2")
GATEWAY_NAME: Final = "gateway"
"""What both gateways answer to; sidecars share traces out between its addresses."""

COLLECTOR_CONFIG: Final = "/etc/otelcol"
RULES: Final = "/etc/rules"
"""Beside /etc/prometheus as rules/ is beside stack/: the same relative path leads to it."""
DASHBOARDS: Final = "/etc/dashboards"
EXPORT_INTERVAL_MS: Final = "15000"
SCRAPE_INTERVAL: Final = "15s"
