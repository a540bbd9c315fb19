"""Runs every panel's queries on a real Prometheus with the committed rules and failing services."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from otel_meta.repos import BUILTIN
from tests.render.dashboards.fast_prometheus import (
    Prometheus,
    global_view,
    prometheus,
    shorten_ranges,
)
from tests.render.dashboards.rendered_dashboards import choices, targets
from tests.render.dashboards.scraped_services import ScrapedService, scraped_services

TIMEOUT = 150.0
"""Seconds until every query has an answer, on a busy machine; usually 20."""


class System(NamedTuple):
    """Prometheus and the scraped services."""

    prometheus: Prometheus
    services: Sequence[ScrapedService]
    places: frozenset[tuple[str, str]]
    """The environment and the cluster of every deployment of each service."""


@contextmanager
def _one_server(folder: Path, port: int) -> Iterator[Prometheus]:
    with prometheus(folder, port, _PATHS) as client:
        yield client


@contextmanager
def _two_clusters(folder: Path, port: int) -> Iterator[Prometheus]:
    with (
        prometheus(
            folder / "east", port, _PATHS, cluster="east", environments=("production", "staging")
        ) as east,
        prometheus(
            folder / "west", port, _PATHS, cluster="west", environments=("production",)
        ) as west,
        global_view(folder / "global", [east, west]) as client,
    ):
        yield client


_PATHS = [repo.name for repo in BUILTIN]
_VIEWS = {
    "one Prometheus": (_one_server, {("", "")}),
    "global view of two clusters": (
        _two_clusters,
        {("production", "east"), ("staging", "east"), ("production", "west")},
    ),
}


@pytest.fixture(scope="module", params=_VIEWS)
def system(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[System]:
    """Run Prometheus, and one service per meta-repository."""
    view, places = _VIEWS[request.param]
    with (
        scraped_services(BUILTIN) as (port, services),
        view(tmp_path_factory.mktemp("prometheus"), port) as client,
    ):
        yield System(client, services, frozenset(places))


@pytest.fixture(scope="module")
def unanswered(system: System) -> list[str]:
    """Record values until every query has had an answer; at the deadline, the other queries."""
    deadline = time.monotonic() + TIMEOUT
    missing = list(targets())
    while missing or not _has_all_places(system):
        if time.monotonic() > deadline:
            break
        for service in system.services:
            service.record()
        time.sleep(0.5)
        missing = [one for one in missing if not _has_answer(system.prometheus, one.expr)]
    return [target.where for target in missing]


def _has_all_places(system: System) -> bool:
    return system.places == _slos_by_place(system.prometheus).keys()


def _slos_by_place(client: Prometheus) -> Counter[tuple[str, str]]:
    """Return the number of rows of the table of SLOs, by environment and cluster."""
    states = next(t for t in targets() if t.where == "slo-tracking.json: All SLOs, worst first A")
    rows = (series["metric"] for series in client.series(shorten_ranges(states.expr)))
    return Counter(
        (row.get("deployment_environment_name", ""), row.get("cluster", "")) for row in rows
    )


def _has_answer(client: Prometheus, expr: str) -> bool:
    return any(math.isfinite(value) for value in client.values(shorten_ranges(expr)))


def test_every_panel_query_has_an_answer(unanswered: list[str]) -> None:
    """Every query of every panel has an answer, exhausted error budgets and alerts included."""
    assert [] == unanswered


@pytest.mark.usefixtures("unanswered")
def test_every_variable_has_values_of_labels_that_series_have(system: System) -> None:
    """Every variable has values; environments and clusters have values where a label tells them."""
    environments, clusters = (set(names) - {""} for names in zip(*system.places, strict=True))
    told = {"deployment_environment_name": environments, "cluster": clusters, "environment": set()}
    values = {choice: set(system.prometheus.label_values(*choice)) for choice in choices()}

    assert {c: told[c[1]] for c in values if c[1] in told} == {
        c: found for c, found in values.items() if c[1] in told
    }
    assert [] == [
        choice for choice, found in values.items() if not found | told.keys() & {choice[1]}
    ]


@pytest.mark.usefixtures("unanswered")
def test_table_of_slos_has_row_for_each_place(system: System) -> None:
    """The table of SLOs has a row for each environment in each cluster."""
    declared = sum(len(repo.slos) for repo in BUILTIN)

    assert dict.fromkeys(system.places, declared) == _slos_by_place(system.prometheus)


@pytest.mark.usefixtures("unanswered")
def test_query_of_absent_series_has_no_answer(system: System) -> None:
    """A query of a series that no service exports has no answer."""
    assert not _has_answer(system.prometheus, 'sum(rate(orders_placed_total{channel="fax"}[5m]))')
