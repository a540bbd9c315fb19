"""Two hundred SLOs: as many queries as for one, and an answer at once."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from types import new_class

import pytest

from otel_meta import Counter, MetaRepo, NoLabels, Slo
from otel_meta.fleet.answers import Sample, Series
from otel_meta.fleet.connection import Connection
from otel_meta.fleet.fleet_statuses import Fleet
from otel_meta.fleet.prometheus_api import PrometheusApi
from otel_meta.fleet.recordings import POINTS
from otel_meta.fleet.steps import Steps
from otel_meta.model import Catalog
from tests.backends.fleet.recorded_history import DAY, END, LATELY
from tests.backends.query_engines import backfill, prometheus
from tests.rules.raw_series import label_text

NAMES = [f"big-slo-{number:03}" for number in range(200)]
calls = Counter("big.calls", "Calls.", NoLabels)
failures = Counter("big.failures", "Failed calls.", NoLabels)
SLOS = {
    name.replace("-", "_"): Slo(
        name,
        objective="99.9%",
        period="30d",
        sli=calls.ratio(bad=failures),
        why="Callers wait.",
    )
    for name in NAMES
}
DECLARED = {"__doc__": "Many SLOs.", "calls": calls, "failures": failures, **SLOS}
Big: type[MetaRepo] = new_class(
    "Big", (MetaRepo,), {"name": "big", "owner": "us"}, lambda body: body.update(DECLARED)
)
CATALOG = Catalog((Big,))
GRID = Steps.back(30 * DAY, END, POINTS).times


class Counting(PrometheusApi):
    """Counts its queries."""

    queries = 0

    def instant(self, query: str, at: float | None = None) -> tuple[Sample, ...]:
        """Count the query, and ask it."""
        self.queries += 1
        return super().instant(query, at)

    def range(self, query: str, steps: Steps) -> tuple[Series, ...]:
        """Count the query, and ask it."""
        self.queries += 1
        return super().range(query, steps)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Prometheus with the recordings of all SLOs, at the times that a burn-down asks for."""
    folder: Path = tmp_path_factory.mktemp("many")
    times = sorted({*GRID, *LATELY})
    last = len(times) - 1
    counts = {"slo:total:cumulative": f"0+100x{last}", "slo:bad:cumulative": f"0+1x{last}"}
    now = {"slo:period_coverage:ratio": 1, "slo:compliant:bool": 0, "slo:error_ratio:1h": 0.01}
    backfill({_of(n, slo): text for n, text in counts.items() for slo in NAMES}, times, folder)
    present = {_of(n, slo): f"{v}x{len(LATELY) - 1}" for n, v in now.items() for slo in NAMES}
    backfill(present, LATELY, folder)
    with prometheus(folder) as engine:
        yield engine.url


def _of(name: str, slo: str) -> str:
    return name + label_text({"slo": slo, "service_namespace": "big", "service_name": "s"})


def test_number_of_queries_does_not_grow_with_slos(url: str) -> None:
    """Two hundred SLOs of one period take the five queries that one SLO takes."""
    one, all_ = (Counting(Connection(url)) for _ in range(2))
    Fleet(one, clock=lambda: END).statuses(CATALOG, [NAMES[0]])
    Fleet(all_, clock=lambda: END).statuses(CATALOG)

    assert (5, 5) == (one.queries, all_.queries)


def test_two_hundred_slos_are_answered_at_once(url: str) -> None:
    """The statuses of two hundred SLOs with their burn-downs are there within seconds."""
    began = time.monotonic()
    found = Fleet(PrometheusApi(Connection(url)), clock=lambda: END).statuses(CATALOG)

    assert (200, {"breached"}) == (len(found), {one.state for one in found})
    assert {len(GRID)} == {len(one.burn_down) for one in found}
    assert time.monotonic() - began < 5
