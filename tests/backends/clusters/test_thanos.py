"""Two clusters behind Thanos: each keeps its own burn, in the view over both and in its alerts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.backends.clusters.cluster_services import BAD_SHARE, CLUSTERS, FAILING, HEALTHY
from tests.backends.clusters.thanos_servers import REPLICAS, Fleet, fleet
from tests.render.dashboards.rendered_dashboards import targets
from tests.waiting import wait_until

SLO = "titan-service-availability"
RATIO = f'slo:error_ratio:5m{{slo="{SLO}"}}'
OWN = tuple(target for target in targets() if target.where.startswith(("slo-", "titan-")))
"""The queries of the boards about SLOs and about the meta-repository of the service."""
BURNS = f'ALERTS{{alertname="SloErrorBudgetBurnFast",slo="{SLO}",alertstate="firing"}}'


@pytest.fixture(
    scope="module", params=[False, True], ids=["rules in Prometheus", "rules in Thanos"]
)
def clusters(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Fleet]:
    """Both clusters, once the failing cluster burns."""
    with fleet(tmp_path_factory.mktemp("fleet"), central_rules=request.param) as running:
        wait_until(lambda: running.querier.query(BURNS), "no page")
        wait_until(lambda: len(running.querier.by_cluster(RATIO)) == len(CLUSTERS), "no ratios")
        yield running


def test_each_cluster_has_its_own_error_ratio(clusters: Fleet) -> None:
    """The global view has one error ratio for each cluster."""
    ratios = clusters.querier.by_cluster(RATIO)

    assert {FAILING, HEALTHY} == ratios.keys()
    assert [pytest.approx(BAD_SHARE, abs=0.02)] == ratios[FAILING]
    assert [0.0] == ratios[HEALTHY]


def test_page_names_the_failing_cluster_alone(clusters: Fleet) -> None:
    """Only the failing cluster has a page."""
    assert {FAILING} == clusters.querier.by_cluster(BURNS).keys()


def test_every_query_of_the_boards_is_answered(clusters: Fleet) -> None:
    """No query of a board is an error in the global view."""
    for target in OWN:
        clusters.querier.query(target.expr)


def test_queries_are_answered_with_both_replicas_in_view(clusters: Fleet) -> None:
    """Without deduplication, the querier returns each replica, and no query of a board fails."""
    for target in OWN:
        clusters.querier.query(target.expr, deduplicated=False)
    replicas = {s.labels["replica"] for s in clusters.querier.query("up", deduplicated=False)}

    assert {*REPLICAS} == replicas


def test_notifications_have_one_cluster(clusters: Fleet) -> None:
    """Alertmanager notifies of the failing cluster, and no notification mixes clusters."""
    clusters.receiver.wait_for("/page", "firing")
    bodies = clusters.receiver.bodies("/page")

    assert all(FAILING == body["groupLabels"]["cluster"] for body in bodies)
    assert 1 == len({str(body["groupLabels"]) for body in bodies})
