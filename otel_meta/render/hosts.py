"""Images, host names and ports of the stack's servers, and paths of files in containers."""

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
        "python": "python:3.13-slim",
        "examples": "otel-meta-examples:local",
    }
)
"""Images with the versions that tools/ builds for the tests; Grafana is not built.

The image of the example services is built from stack/Dockerfile. Tags and no digests: a digest is
of one registry, and the digests of a release are known to its registry alone. `Options.images`
takes digests.
"""


@dataclass(frozen=True)
class Host:
    """A server of the stack; ``str()`` gives its name and port."""

    name: str
    port: int

    def __str__(self) -> str:
        return f"{self.name}:{self.port}"

    @property
    def url(self) -> str:
        """The URL of the server."""
        return f"http://{self}"


STOREFRONT: Final = Host("storefront", 8001)
PAYMENTS: Final = Host("payments", 8002)
NOTIFICATIONS: Final = Host("notifications", 8080)
PROMETHEUS: Final = Host("prometheus", 9090)
ALERTMANAGER: Final = Host("alertmanager", 9093)
JAEGER: Final = Host("jaeger", 16686)
JAEGER_OTLP: Final = Host("jaeger", 4317)
GRAFANA: Final = Host("grafana", 3000)

GATEWAYS: Final = ("gateway-1", "gateway-2")
GATEWAY_NAME: Final = "gateway"
"""The DNS name of both gateways; sidecars distribute traces over its addresses."""

COLLECTOR_CONFIG_DIR: Final = "/etc/otelcol"
RULES_DIR: Final = "/etc/rules"
"""Beside /etc/prometheus, as rules/ is beside stack/, so the same relative path is valid."""
DASHBOARDS_DIR: Final = "/etc/dashboards"
SCRAPE_INTERVAL: Final = "15s"
