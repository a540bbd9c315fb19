"""The stack: a compose file with its configuration files, and Kubernetes manifests."""

from __future__ import annotations

from collections.abc import Iterator

from otel_meta.model import Catalog
from otel_meta.render.alertmanager import alertmanager
from otel_meta.render.options import Options

from .compose import compose_file
from .grafana_provisioning import dashboards_file, datasources_file
from .kubernetes import manifests
from .notifications_script import NAME, notifications_script
from .prometheus_config import (
    SCRAPE_CONFIGS,
    TARGETS_DIR,
    prometheus_file,
    scrape_configs_file,
    targets_file,
)
from .stack_readme import readme_file


def stack_files(catalog: Catalog, options: Options) -> Iterator[tuple[str, str]]:
    """Return path and text of each file; paths are relative to stack/."""
    yield "README.md", readme_file()
    yield "compose.yaml", compose_file(catalog, options)
    yield "prometheus.yml", prometheus_file(options.identity)
    yield SCRAPE_CONFIGS, scrape_configs_file(options)
    yield f"{TARGETS_DIR}/collectors.yml", targets_file()
    yield "alertmanager.yml", alertmanager(catalog, options)
    yield NAME, notifications_script()
    yield "grafana/provisioning/datasources/otel-meta.yaml", datasources_file()
    yield "grafana/provisioning/dashboards/otel-meta.yaml", dashboards_file()
    for name, text in manifests(catalog, options):
        yield f"kubernetes/{name}", text
