"""Two clusters behind Thanos: each keeps its own burn, in the view over both and in its alerts."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress

import pytest

from otel_meta.render.rules.series_names import TOTAL, TOTAL_CUMULATIVE
from tests.backends.clusters.cluster_boards import BOARD_QUERIES, SPEED, different, value
from tests.backends.clusters.cluster_services import BAD_SHARE, CLUSTERS, FAILING, HEALTHY, RATE
from tests.backends.clusters.slo_history import EARLIER, SLO
from tests.backends.clusters.thanos_servers import OLDER, REPLICAS, RULERS, YOUNGER, Fleet, fleet
from tests.waiting import poll_for, wait_until

CENTRAL = "rules in Thanos"
PAGE = "SloErrorBudgetBurnFast"
RATIO = f'slo:error_ratio:5m{{slo="{SLO}"}}'
FULL = f'{TOTAL}{{slo="{SLO}",cluster="{HEALTHY}"}}'
BURNS = f'ALERTS{{alertname="{PAGE}",slo="{SLO}",alertstate="firing"}}'
ADD_UP_PROCESSES = {
    "Processes of each service",
    "HTTP server request duration, by bucket",
    "HTTP server request, observations per second",
}
"""The panels with data that add up raw series; docs/scale.md has the kinds."""


@pytest.fixture(scope="module", params=["rules in Prometheus", CENTRAL])
def clusters(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Fleet]:
    """Both clusters, once the failing cluster burns and the shortest window is full."""
    with fleet(tmp_path_factory.mktemp("fleet"), central_rules=request.param == CENTRAL) as running:
        wait_until(lambda: running.querier.query(BURNS), "no page")
        wait_until(lambda: running.querier.query(f"{FULL} and {FULL} offset 6s"), "no full window")
        yield running


def test_each_cluster_has_its_own_error_ratio(clusters: Fleet) -> None:
    """The global view has one error ratio for each cluster."""
    expected = {FAILING: [pytest.approx(BAD_SHARE, abs=0.02)], HEALTHY: [0.0]}

    assert expected == poll_for(expected, lambda: clusters.querier.by_cluster(RATIO))


def test_page_names_the_failing_cluster_alone(clusters: Fleet) -> None:
    """Only the failing cluster has a page."""
    assert {FAILING} == clusters.querier.by_cluster(BURNS).keys()


@pytest.mark.parametrize(
    ("cluster", "bad_share"), [(FAILING, BAD_SHARE), (HEALTHY, 0)], ids=CLUSTERS
)
def test_board_counts_the_events_of_each_cluster_once(
    cluster: str, bad_share: float, clusters: Fleet
) -> None:
    """The board has the rates of events and of bad events of each cluster, from one replica."""
    expected = [pytest.approx(RATE, rel=0.1), pytest.approx(RATE * bad_share, rel=0.1)]

    def rates() -> list[float]:
        return [
            SPEED * value(f"{title} per second A", clusters.querier, cluster=cluster, slo=SLO)
            for title in ("Events", "Bad events")
        ]

    # A busy machine evaluates late: a window of five seconds then lacks a second.
    wait_until(lambda: expected == rates(), "the rates of one replica do not appear")


def test_boards_have_the_same_values_with_both_replicas_in_view(clusters: Fleet) -> None:
    """Every query is answered; without deduplication, only sums of raw series are different."""
    panels = _different_panels(clusters)
    for _ in range(2):  # a late evaluation of one replica is different once, and a sum each time
        panels = panels if panels == ADD_UP_PROCESSES else panels & _different_panels(clusters)
    replicas = {s.labels["replica"] for s in clusters.querier.query("up", deduplicated=False)}

    assert {*REPLICAS} == replicas
    assert ADD_UP_PROCESSES == panels


def _different_panels(clusters: Fleet) -> set[str]:
    """Return the panels whose values are different with both replicas in view."""
    at = time.time() - 1
    panels = {
        different(
            target,
            clusters.querier.query(target.expr, at=at),
            clusters.querier.query(target.expr, at=at, deduplicated=False),
        )
        for target in BOARD_QUERIES
    }
    return panels - {""}


def test_notifications_have_one_cluster(clusters: Fleet) -> None:
    """Alertmanager notifies of the failing cluster, and no notification mixes clusters."""
    clusters.receiver.wait_for("/page", "firing")
    bodies = clusters.receiver.bodies("/page")

    assert all(FAILING == body["groupLabels"]["cluster"] for body in bodies)
    assert 1 == len({str(body["groupLabels"]) for body in bodies})


def test_alertmanager_has_one_alert_of_several_replicas(clusters: Fleet) -> None:
    """Alertmanager has one alert of an SLO, without the label of a replica or ruler."""
    alerts = [labels for labels in clusters.active_alerts(PAGE) if labels["slo"] == SLO]

    assert [FAILING] == [labels["cluster"] for labels in alerts]
    assert set() == {"replica", "ruler"} & alerts[0].keys()


@pytest.mark.parametrize("clusters", [CENTRAL], indirect=True)
class TestRulers:
    """Two rulers with the same rules, which read themselves and each other through the querier."""

    def test_rulers_count_each_event_once(self, clusters: Fleet) -> None:
        """Both rulers have the events of both clusters, once, with the history of one ruler."""
        expected = dict.fromkeys(RULERS, pytest.approx(0, abs=_SOME))

        assert expected == poll_for(expected, lambda: _uncounted(clusters, FAILING))
        assert expected == poll_for(expected, lambda: _uncounted(clusters, HEALTHY))

    def test_restart_loses_no_event_and_resolves_no_page(self, clusters: Fleet) -> None:
        """A ruler that starts again with an empty disk has the history of the other ruler."""
        ruler = clusters.rulers[YOUNGER]
        ruler.stop()
        shutil.rmtree(ruler.folder / "data")
        wait_until(lambda: _has_counted(OLDER, clusters), "the querier does not drop the ruler")
        ruler.start().wait_until_ready()
        wait_until(lambda: _has_counted(YOUNGER, clusters), "the ruler does not count")

        expected = pytest.approx(0, abs=_SOME)

        assert expected == poll_for(expected, lambda: _uncounted(clusters, FAILING)[YOUNGER])
        assert [] == clusters.receiver.alerts("/page", "resolved")


_SOME = 5 * RATE
"""Events of five seconds: a scrape, an evaluation and a query are up to a second apart each."""


def _has_counted(ruler: str, clusters: Fleet) -> bool:
    """True once the ruler has counted; while it is unreachable, each query is an error."""
    with suppress(AssertionError):
        return ruler in _counted(clusters, FAILING)
    return False


def _uncounted(clusters: Fleet, cluster: str) -> Mapping[str, float]:
    """Return by ruler how many events of a cluster it has not counted; late ones become few."""
    counted = _counted(clusters, cluster)
    events = _events(clusters, cluster)
    return {ruler: events - number for ruler, number in counted.items()}


def _counted(clusters: Fleet, cluster: str) -> Mapping[str, float]:
    """Return the events that each ruler has counted."""
    expr = f'{TOTAL_CUMULATIVE}{{slo="{SLO}",cluster="{cluster}"}}'
    samples = clusters.querier.query(expr, deduplicated=False)
    return {sample.labels["ruler"]: sample.value for sample in samples}


def _events(clusters: Fleet, cluster: str) -> float:
    """Return the events of a cluster, with those before the test."""
    earlier = EARLIER[TOTAL_CUMULATIVE] if cluster == FAILING else 0
    return earlier + clusters.services.requests
