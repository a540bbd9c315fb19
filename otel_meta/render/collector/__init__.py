"""The Collector's configuration: a sidecar beside each service, and the gateways behind them."""

from __future__ import annotations

from collections.abc import Iterator

from otel_meta.model import Catalog

from .collector_readme import variables_page
from .gateway import gateway_file
from .sidecar import sidecar_file
from .span_metrics import span_metrics_file


def collector_files(catalog: Catalog) -> Iterator[tuple[str, str]]:
    """Each file's name and text."""
    yield "sidecar.yaml", sidecar_file()
    yield "gateway.yaml", gateway_file(catalog)
    yield "span-metrics.yaml", span_metrics_file()
    yield "README.md", variables_page()
