"""Grafana dashboards of a catalogue, as JSON files for provisioning."""

from __future__ import annotations

from collections.abc import Iterator

from otel_meta.model import Catalog

from .business_page import business_page
from .dashboard import to_json
from .repo_page import repo_page
from .slo_page import slo_page

__all__ = ["dashboards"]


def dashboards(catalog: Catalog) -> Iterator[tuple[str, str]]:
    """Render the dashboards of a catalogue.

    Yields:
        File name and text of each dashboard: all SLOs, all business metrics, and one dashboard per
        meta-repository.
    """
    yield "slo-tracking.json", to_json(slo_page(catalog))
    yield "business-metrics.json", to_json(business_page(catalog))
    for repo in catalog:
        yield f"{repo.name}.json", to_json(repo_page(repo))
