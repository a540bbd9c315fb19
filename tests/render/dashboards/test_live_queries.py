"""Runs every panel's queries on a real Prometheus with the committed rules and failing services."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import pytest

from otel_meta.repos import BUILTIN
from tests.render.dashboards.fast_prometheus import Prometheus, prometheus, shorten_ranges
from tests.render.dashboards.rendered_dashboards import choices, targets
from tests.render.dashboards.scraped_services import ScrapedService, scraped_services

TIMEOUT = 60.0


class System(NamedTuple):
    """Prometheus and the scraped services."""

    prometheus: Prometheus
    services: Sequence[ScrapedService]


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """Run Prometheus, and one service per meta-repository."""
    folder = tmp_path_factory.mktemp("prometheus")
    names = [repo.name for repo in BUILTIN]
    with (
        scraped_services(BUILTIN) as (port, services),
        prometheus(folder, port, names) as client,
    ):
        yield System(client, services)


@pytest.fixture(scope="module")
def unanswered(system: System) -> list[str]:
    """Record values until every query has an answer; at the deadline, the queries without one."""
    deadline = time.monotonic() + TIMEOUT
    while (missing := _unanswered(system.prometheus)) and time.monotonic() < deadline:
        for service in system.services:
            service.record()
        time.sleep(0.5)
    return missing


def _has_answer(client: Prometheus, expr: str) -> bool:
    return any(math.isfinite(value) for value in client.values(shorten_ranges(expr)))


def _unanswered(client: Prometheus) -> list[str]:
    return [target.where for target in targets() if not _has_answer(client, target.expr)]


def test_every_panel_query_has_an_answer(unanswered: list[str]) -> None:
    """Every query of every panel has an answer, exhausted error budgets and alerts included."""
    assert [] == unanswered


@pytest.mark.usefixtures("unanswered")
def test_every_variable_has_values(system: System) -> None:
    """Every variable of a dashboard has values."""
    assert [] == [choice for choice in choices() if not system.prometheus.label_values(*choice)]


@pytest.mark.usefixtures("unanswered")
def test_query_of_absent_series_has_no_answer(system: System) -> None:
    """A query of a series that no service exports has no answer."""
    assert not _has_answer(system.prometheus, 'sum(rate(orders_placed_total{channel="fax"}[5m]))')
