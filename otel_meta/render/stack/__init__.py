"""The stack around the services: a compose file, Kubernetes manifests, and what they mount."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from otel_meta.model import Catalog
from otel_meta.render.alertmanager import Receivers, Webhooks, alertmanager

from .compose import compose_file
from .grafana_provisioning import dashboards_file, datasources_file
from .hosts import NOTIFICATIONS
from .kubernetes import manifests
from .prometheus_config import prometheus_file
from .stack_readme import stack_page

RECEIVERS: Final = Receivers(
    default=Webhooks(page=f"{NOTIFICATIONS.url}/page", ticket=f"{NOTIFICATIONS.url}/ticket"),
    watchdog=f"{NOTIFICATIONS.url}/watchdog",
)
"""The stack's own, which prints what it is told."""


def stack_files(catalog: Catalog, receivers: Receivers) -> Iterator[tuple[str, str]]:
    """Each file's path below stack/, and its text."""
    yield "README.md", stack_page()
    yield "compose.yaml", compose_file()
    yield "prometheus.yml", prometheus_file()
    yield "alertmanager.yml", alertmanager(catalog, receivers)
    yield "grafana/provisioning/datasources/otel-meta.yaml", datasources_file()
    yield "grafana/provisioning/dashboards/otel-meta.yaml", dashboards_file()
    for name, text in manifests(catalog):
        yield f"kubernetes/{name}", text
