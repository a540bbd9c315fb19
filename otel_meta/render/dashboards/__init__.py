"""Grafana dashboards of a catalogue, as files to provision."""

from __future__ import annotations

from collections.abc import Iterator

from otel_meta.model import Catalog

from .business_page import business_page
from .dashboard import text_of
from .repo_page import repo_page
from .slo_page import slo_page

__all__ = ["dashboards"]


def dashboards(catalog: Catalog) -> Iterator[tuple[str, str]]:
    """File names and texts: all SLOs, all business metrics, and one page a meta-repository."""
    yield "slo-tracking.json", text_of(slo_page(catalog))
    yield "business-metrics.json", text_of(business_page(catalog))
    for repo in catalog:
        yield f"{repo.name}.json", text_of(repo_page(repo))
