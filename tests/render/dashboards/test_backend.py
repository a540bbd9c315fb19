"""Every panel on a real Prometheus that evaluates the committed rules over a fleet in trouble."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator

import pytest

from otel_meta.repos import BUILTIN
from tests.render.dashboards.backend import Prometheus, hurried, prometheus
from tests.render.dashboards.fleet import fleet
from tests.render.dashboards.support import choices, targets

SECONDS = 12
PATIENCE = 30


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """A server that has watched every instrument of the six for a while."""
    folder = tmp_path_factory.mktemp("prometheus")
    names = [repo.name for repo in BUILTIN]
    with (
        fleet(BUILTIN) as (port, services),
        prometheus(folder, port, names) as running,
    ):
        for _ in range(SECONDS):
            for service in services:
                service.work()
            time.sleep(1)
        yield running


def _answered(server: Prometheus, expr: str) -> bool:
    return any(math.isfinite(value) for value in server.values(hurried(expr)))


def _empty(server: Prometheus) -> list[str]:
    return [target.where for target in targets() if not _answered(server, target.expr)]


def test_panels(server: Prometheus) -> None:
    """Every query of every panel has an answer, the exhausted budgets and the alerts included."""
    deadline = time.monotonic() + PATIENCE
    while (empty := _empty(server)) and time.monotonic() < deadline:
        time.sleep(1)

    assert [] == empty


def test_variables(server: Prometheus) -> None:
    """Every variable has values to choose from."""
    assert [] == [c for c in choices() if not server.label_values(*c)]


def test_negative_control(server: Prometheus) -> None:
    """A query for what nobody exports has no answer."""
    assert not _answered(server, 'sum(rate(orders_placed_total{channel="fax"}[5m]))')
