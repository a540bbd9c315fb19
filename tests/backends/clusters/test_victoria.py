"""Two clusters in one VictoriaMetrics with two vmalerts: each cluster keeps its own burn."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping

import pytest

from otel_meta.render.rules.series_names import TOTAL, TOTAL_CUMULATIVE
from tests.backends.clusters.cluster_boards import BOARD_QUERIES, SPEED, value
from tests.backends.clusters.cluster_services import BAD_SHARE, CLUSTERS, FAILING, HEALTHY, RATE
from tests.backends.clusters.slo_history import SLO
from tests.backends.clusters.victoria_servers import Fleet, fleet
from tests.waiting import poll_for, wait_until

PAGE = "SloErrorBudgetBurnFast"
BURNS = f'ALERTS{{alertname="{PAGE}",slo="{SLO}",alertstate="firing"}}'
FULL = f'{TOTAL}{{slo="{SLO}",cluster="{HEALTHY}"}}'


@pytest.fixture(scope="module")
def clusters(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """Both clusters, once the failing cluster burns and its shortest window is full."""
    with fleet(tmp_path_factory.mktemp("fleet")) as running:
        wait_until(lambda: running.query(BURNS), "no page")
        began = time.time()
        wait_until(lambda: running.query(FULL, began) and time.time() > began + 6, "no window")
        yield running


@pytest.mark.parametrize(
    ("cluster", "bad_share"), [(FAILING, BAD_SHARE), (HEALTHY, 0)], ids=CLUSTERS
)
class TestEachCluster:
    def test_has_its_own_error_ratio(self, cluster: str, bad_share: float, clusters: Fleet) -> None:
        """Each cluster has one error ratio of its own."""
        ratio = f'slo:error_ratio:5m{{slo="{SLO}",cluster="{cluster}"}}'
        expected = pytest.approx([bad_share], abs=0.02)

        assert expected == poll_for(expected, lambda: [one.value for one in clusters.query(ratio)])

    def test_board_counts_its_events_once(
        self, cluster: str, bad_share: float, clusters: Fleet
    ) -> None:
        """The board has the rates of events and of bad events, from one of two vmalerts."""
        rates = [
            SPEED * value(f"{title} per second A", clusters, cluster=cluster, slo=SLO)
            for title in ("Events", "Bad events")
        ]

        assert [RATE, RATE * bad_share] == pytest.approx(rates, rel=0.1)


def test_every_query_of_the_boards_is_answered(clusters: Fleet) -> None:
    """No query of a board is an error."""
    for target in BOARD_QUERIES:
        clusters.query(target.expr)


def test_page_names_the_failing_cluster_alone(clusters: Fleet) -> None:
    """Only the failing cluster has a page, and Alertmanager has it once."""
    alerts = [labels for labels in clusters.active_alerts(PAGE) if labels["slo"] == SLO]

    assert [FAILING] == [labels["cluster"] for labels in alerts]


def test_notifications_have_one_cluster(clusters: Fleet) -> None:
    """Alertmanager notifies of the failing cluster, and no notification mixes clusters."""
    clusters.receiver.wait_for("/page", "firing")
    bodies = clusters.receiver.bodies("/page")

    assert all(FAILING == body["groupLabels"]["cluster"] for body in bodies)
    assert 1 == len({str(body["groupLabels"]) for body in bodies})


def test_two_vmalerts_count_each_event_once(clusters: Fleet) -> None:
    """Two vmalerts that write the same series, one of them with a pause, count each event once.

    The other vmalert keeps the page firing in the meantime.
    """
    paused = clusters.rulers["a"]
    paused.stop()
    time.sleep(6)
    clusters.services.end()
    paused.start().wait_until_ready()
    expected = dict.fromkeys(CLUSTERS, float(clusters.services.requests))

    wait_until(lambda: expected == _counted(clusters), "the events are not counted", timeout=30)
    assert [] == clusters.receiver.alerts("/page", "resolved")


def _counted(clusters: Fleet) -> Mapping[str, float]:
    """Return the events of each cluster that the rules have counted."""
    counted = clusters.query(f'{TOTAL_CUMULATIVE}{{slo="{SLO}"}}')
    return {one.labels["cluster"]: one.value for one in counted}
