"""Runbooks: a page for each meta-repository, and for each family of alerts about all of them."""

from __future__ import annotations

from collections.abc import Iterator

from otel_meta.model import Catalog, MetaRepo
from otel_meta.render.options import Options

from .burn_runbook import burn_runbook
from .overview_runbook import overview_runbook
from .repo_runbook import repo_runbook
from .state_runbooks import exhausted_runbook, no_data_runbook
from .telemetry_runbook import telemetry_runbook


def runbooks(catalog: Catalog, options: Options) -> Iterator[tuple[str, str]]:
    """Yield the name and the text of every page; alerts link to the names."""
    yield from ((repo.name, repo_runbook(repo, options)) for repo in catalog if _has_alerts(repo))
    yield "slo-burn", burn_runbook(catalog)
    yield "slo-budget-exhausted", exhausted_runbook(catalog)
    yield "slo-no-data", no_data_runbook(catalog)
    yield "slo-overview", overview_runbook()
    yield "telemetry", telemetry_runbook(catalog, options)


def _has_alerts(repo: type[MetaRepo]) -> bool:
    return bool(repo.slos or repo.alerts)
