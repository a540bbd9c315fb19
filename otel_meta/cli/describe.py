"""The catalogue as plain values, for tables and JSON."""

from __future__ import annotations

from typing import Any

from otel_meta.model import Catalog, Histogram, Instrument, MetaRepo, Slo
from otel_meta.status.sli_text import sli_text


def catalog_as_json(catalog: Catalog) -> dict[str, list[dict[str, Any]]]:
    """Return all declarations of a catalogue as plain values."""
    return {
        "repos": [_repo(repo) for repo in catalog],
        "metrics": [_metric(repo, instrument) for repo, instrument in catalog.instruments()],
        "slos": [_slo(repo, slo) for repo in catalog for slo in repo.slos.values()],
    }


def _repo(repo: type[MetaRepo]) -> dict[str, Any]:
    return {
        "name": repo.name,
        "owner": repo.owner,
        "tier": repo.tier,
        "description": repo.description,
        "metrics": len(repo.instruments),
        "slos": len(repo.slos),
    }


def _metric(repo: type[MetaRepo], instrument: Instrument[...]) -> dict[str, Any]:
    metric: dict[str, Any] = {
        "repo": repo.name,
        "name": instrument.name,
        "prometheus_name": instrument.prometheus_name,
        "type": instrument.kind,
        "unit": instrument.unit,
        "labels": {label.name: label.values for label in instrument.label_fields},
        "description": instrument.description,
    }
    if isinstance(instrument, Histogram):
        metric["buckets"] = instrument.buckets
    return metric


def _slo(repo: type[MetaRepo], slo: Slo) -> dict[str, Any]:
    return {
        "repo": repo.name,
        "name": slo.name,
        "objective": str(slo.objective),
        "period": str(slo.period),
        "sli": {"kind": type(slo.sli).__name__.lower(), "good": sli_text(slo.sli)},
        "why": slo.why,
    }
