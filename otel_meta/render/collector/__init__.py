"""The Collector's configuration: sidecars beside the services, and gateways behind the sidecars."""

from __future__ import annotations

from collections.abc import Iterator

from otel_meta.model import Catalog
from otel_meta.model.identity import DEFAULT, Identity

from .collector_readme import readme_file
from .gateway import gateway_file
from .sidecar import sidecar_file
from .span_metrics import span_metrics_file


def collector_files(catalog: Catalog, identity: Identity = DEFAULT) -> Iterator[tuple[str, str]]:
    """Return name and text of each file in collector-config/."""
    yield "sidecar.yaml", sidecar_file(identity)
    yield "gateway.yaml", gateway_file(catalog)
    yield "span-metrics.yaml", span_metrics_file()
    yield "README.md", readme_file()
