"""Grafana dashboards of a catalogue, as JSON files for provisioning."""

from __future__ import annotations

from collections.abc import Iterator

from otel_meta.model import Catalog
from otel_meta.render.options import Options

from .business_page import business_page
from .grafana.dashboard import to_json
from .repo_page import repo_page
from .slo_page import slo_page

__all__ = ["dashboards"]


def dashboards(catalog: Catalog, options: Options) -> Iterator[tuple[str, str]]:
    """Render the dashboards of a catalogue.

    Args:
        catalog: the meta-repositories.
        options: the identity of a service, and the kind of the store of traces.

    Yields:
        File name and text of each dashboard: all SLOs, all business metrics, and one dashboard per
        meta-repository.
    """
    yield "slo-tracking.json", to_json(slo_page(catalog, options))
    yield "business-metrics.json", to_json(business_page(catalog, options))
    for repo in catalog:
        yield f"{repo.name}.json", to_json(repo_page(repo, options))
