"""Declarations in words and in JSON, for people and for other languages."""

from __future__ import annotations

from typing import Any

from otel_meta.model import Catalog, Histogram, Instrument, Match, MetaRepo, Ratio, Slo
from otel_meta.model.match import Condition, Presence
from otel_meta.model.sli import Sli, Threshold, TimeSlice


def catalog_as_json(catalog: Catalog) -> dict[str, list[dict[str, Any]]]:
    """Everything that is declared, as plain values."""
    return {
        "repos": [_repo(repo) for repo in catalog],
        "metrics": [_metric(repo, instrument) for repo, instrument in catalog.instruments()],
        "slos": [_slo(repo, slo) for repo in catalog for slo in repo.slos.values()],
    }


def sli_in_words(sli: Sli) -> str:
    """What makes an event good, in one line of Prometheus' names."""
    match sli:
        case Ratio(bad=Match() as bad):
            return f"not {_selector(bad)} among {_selector(sli.total)}"
        case Ratio():
            return f"{_selector(sli.good or sli.total)} among {_selector(sli.total)}"
        case Threshold():
            return f"{_selector(sli.values)} <= {sli.bound:g}"
        case TimeSlice(at_least=None):
            return f"{_selector(sli.value)} <= {sli.at_most:g}, {sli.judge} series"
        case TimeSlice():
            return f"{_selector(sli.value)} >= {sli.at_least:g}, {sli.judge} series"


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
        "sli": {"kind": type(slo.sli).__name__.lower(), "good": sli_in_words(slo.sli)},
        "why": slo.why,
    }


def _selector(match: Match) -> str:
    conditions = ",".join(map(_condition, match.conditions))
    name = match.instrument.prometheus_name
    return f"{name}{{{conditions}}}" if conditions else name


def _condition(condition: Condition) -> str:
    if isinstance(condition.wanted, Presence):
        return f'{condition.label}!=""'
    operator = "=" if len(condition.wanted) == 1 else "=~"
    return f'{condition.label}{operator}"{"|".join(condition.wanted)}"'
