"""Runs every panel's queries on a real Prometheus with the committed rules and failing services."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import pytest

from otel_meta.repos import BUILTIN
from tests.render.dashboards.fast_prometheus import (
    Prometheus,
    empty_prometheus,
    prometheus,
    shorten_ranges,
)
from tests.render.dashboards.rendered_dashboards import choices, targets
from tests.render.dashboards.scraped_services import ScrapedService, scraped_services
from tests.waiting import poll

_INTERVAL = 0.5
"""Seconds between two recordings."""

_PATHS = [repo.name for repo in BUILTIN]
_SLOS = sum(len(repo.slos) for repo in BUILTIN)


class System(NamedTuple):
    """Prometheus and the scraped services."""

    prometheus: Prometheus
    services: Sequence[ScrapedService]
    places: frozenset[tuple[str, str]]
    """The environment and the cluster of every deployment of each service."""

    @property
    def rows(self) -> Mapping[tuple[str, str], int]:
        """The number of rows of the table of SLOs, by environment and cluster."""
        return dict.fromkeys(self.places, _SLOS)


_ALONE = ("", "")
_EAST = {("", "east"), ("production", "east")}
_PLACES = {
    "one Prometheus": frozenset({_ALONE}),
    "global view of two clusters": frozenset({_ALONE, *_EAST}),
}
"""By view. A cluster without a label differs from the cluster ``east``, and both have services
without an environment."""


@pytest.fixture(scope="module")
def systems(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, System]]:
    """Run the servers of both views, and one service per meta-repository."""
    folder = tmp_path_factory.mktemp("prometheus")
    environments = tuple(environment for environment, _ in _EAST)
    with (
        scraped_services(BUILTIN) as (port, services),
        empty_prometheus(folder / "global") as everything,
        prometheus(folder / "alone", port, _PATHS, global_view=everything) as alone,
        prometheus(
            folder / "east",
            port,
            _PATHS,
            cluster="east",
            environments=environments,
            global_view=everything,
        ),
    ):
        servers = zip(_PLACES.items(), (alone, everything), strict=True)
        yield {view: System(server, services, places) for (view, places), server in servers}


@pytest.fixture(scope="module", params=_PLACES)
def system(request: pytest.FixtureRequest, systems: Mapping[str, System]) -> System:
    """The servers of one view, as soon as the table of SLOs has its rows.

    A row is the last result of a chain of rules: before it, most queries have no answer.
    """
    found: System = systems[request.param]
    _record_until(found, lambda: found.rows == _slos_by_place(found.prometheus))
    return found


@pytest.fixture(scope="module")
def unanswered(system: System) -> list[str]:
    """Return the queries without an answer at the time-out."""
    missing = list(targets())

    def ask() -> bool:
        missing[:] = [one for one in missing if not _has_answer(system.prometheus, one.expr)]
        return not missing

    _record_until(system, ask)
    return [target.where for target in missing]


def _record_until(system: System, condition: Callable[[], bool]) -> None:
    """Record values until a condition is true, or the time is out."""

    def is_met() -> bool:
        for service in system.services:
            service.record()
        return condition()

    poll(is_met, interval=_INTERVAL)


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


def test_table_of_slos_has_row_for_each_place(system: System) -> None:
    """The table of SLOs has a row for each environment in each cluster.

    A scrape that a busy machine has not finished in time removes a row until the next scrape.
    """
    found: dict[tuple[str, str], int] = {}

    def ask() -> bool:
        found.clear()
        found.update(_slos_by_place(system.prometheus))
        return system.rows == found

    _record_until(system, ask)

    assert system.rows == found


@pytest.mark.usefixtures("unanswered")
def test_query_of_absent_series_has_no_answer(system: System) -> None:
    """A query of a series that no service exports has no answer."""
    assert not _has_answer(system.prometheus, 'sum(rate(orders_placed_total{channel="fax"}[5m]))')
