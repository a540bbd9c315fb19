"""The fleet's statuses from real servers: the same history, the same answer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from otel_meta.errors import BackendError
from otel_meta.fleet.connection import Connection
from otel_meta.fleet.fleet_statuses import Fleet, FleetAnswer
from otel_meta.fleet.prometheus_api import PrometheusApi
from otel_meta.model import Catalog, Duration
from otel_meta.repos import Aurora, Nebula
from otel_meta.status.events import Events
from otel_meta.status.status import Burn, BurnDownPoint, FiringAlert, Status
from tests.backends.fleet import history_servers
from tests.backends.fleet.history_servers import SERVERS
from tests.backends.fleet.recorded_history import (
    AVAILABILITY,
    DAY,
    END,
    EXCUSED,
    LATENCY,
    PER_STEP,
    STEP,
    Shop,
)

CATALOG = Catalog((Nebula, Shop, Aurora))
STEPS = 30 * DAY // STEP
"""Samples of a period."""


@pytest.fixture(scope="module", params=SERVERS)
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a server with the history."""
    with SERVERS[request.param](tmp_path_factory.mktemp("history")) as url:
        yield url


def fleet(url: str, *, later: int = 0) -> Fleet:
    """Return the fleet, some seconds after the end of the history."""
    return Fleet(PrometheusApi(Connection(url)), clock=lambda: END + later)


@pytest.fixture
def answer(url: str) -> FleetAnswer:
    """The answer about all SLOs of the catalogue."""
    return fleet(url).answer(CATALOG)


def status_of(answer: FleetAnswer, service: str, slo: str = AVAILABILITY.name) -> Status:
    """Return the status of an SLO of a service."""
    (found,) = [
        each
        for each in answer.statuses
        if (each.service["service_name"], each.slo.name) == (service, slo)
    ]
    return found


@pytest.mark.parametrize(
    ("service", "slo", "events", "state"),
    [
        ("fine", AVAILABILITY.name, Events(0, STEPS * PER_STEP), "ok"),
        ("fine", LATENCY.name, Events(7 * DAY / STEP, 7 * DAY / STEP * PER_STEP), "ok"),
        ("breached", AVAILABILITY.name, Events(2 * STEPS, STEPS * PER_STEP), "breached"),
        ("young", AVAILABILITY.name, Events(2 * STEPS, STEPS * PER_STEP), "at_risk"),
        (
            "excused",
            AVAILABILITY.name,
            Events(2 * (STEPS - EXCUSED), PER_STEP * (STEPS - EXCUSED)),
            "breached",
        ),
        ("gone", AVAILABILITY.name, Events(0, 0), "no_data"),
        ("ended", AVAILABILITY.name, Events(0, 0), "no_data"),
    ],
)
def test_events_of_the_period_and_state(
    answer: FleetAnswer, service: str, slo: str, events: Events, state: str
) -> None:
    """Bad and total events are those of the period, without excluded ones, and give the state."""
    found = status_of(answer, service, slo)

    assert (events, state) == (found.events, found.state)


def test_clusters_of_a_service_are_rows_of_their_own(answer: FleetAnswer) -> None:
    """A service in two clusters is two services, each with its own events."""
    found = {
        one.service["cluster"]: one.events.bad
        for one in answer.statuses
        if "cluster" in one.service
    }

    assert {"north": 0, "south": 2 * STEPS} == found


def test_count_of_a_period_begins_before_a_hole(answer: FleetAnswer) -> None:
    """Without a value when the period began, the last value before counts, to two hours."""
    events = 30.5 * DAY / STEP * PER_STEP
    two_hours = 7200 / STEP * PER_STEP

    assert 0 <= status_of(answer, "paused").events.total - events <= two_hours


def test_renamed_slo_has_the_events_of_its_former_name(answer: FleetAnswer) -> None:
    """The events of the period under a former name count, and the former name is no foreign SLO."""
    found = status_of(answer, "shop", Shop.delivery.name)

    assert (Events(0, STEPS * PER_STEP), "ok") == (found.events, found.state)
    assert len(found.burn_down) > 100
    assert "shop-orders" not in str(answer.notes)


def test_each_slo_of_a_service_is_there_once(answer: FleetAnswer) -> None:
    """The answer has each SLO of each service once, with repository and owner."""
    names = sorted((one.service["service_name"], one.slo.name) for one in answer.statuses)
    names_of_services = (
        "breached",
        "ended",
        "excused",
        "fine",
        "gone",
        "paused",
        "twin",
        "twin",
        "young",
    )
    rows = [(name, AVAILABILITY.name) for name in names_of_services]

    others = [("fine", LATENCY.name), ("shop", Shop.delivery.name)]

    assert sorted([*rows, *others]) == names
    assert {(repo.name, repo.owner) for repo in (Nebula, Shop)} == {
        (one.repo, one.owner) for one in answer.statuses
    }


def test_burn_rates_and_bad_events_are_those_recorded(answer: FleetAnswer) -> None:
    """Each lookback has the recorded burn rate, and bad events where they are recorded."""
    found = status_of(answer, "breached")

    assert Burn(20.0, 30.0) == found.burns[Duration("1h")]
    assert Burn(20.0, None) == found.burns[Duration("2h")]
    assert {*AVAILABILITY.burn_lookbacks()} == found.burns.keys()
    assert Burn(None, None) == status_of(answer, "fine").burns[Duration("1h")]


def test_burn_down_falls_from_a_whole_budget_to_what_is_left(answer: FleetAnswer) -> None:
    """The burn-down begins with a whole budget, never rises, and ends at what is left."""
    found = status_of(answer, "breached")
    shares = [point.left for point in found.burn_down]

    assert 100 < len(shares) <= 120
    assert [*sorted(shares, reverse=True)] == shares
    assert pytest.approx(1, abs=0.2) == shares[0]
    assert found.budget.left is not None
    assert BurnDownPoint(0, float(found.budget.left)) == found.burn_down[-1]


def test_corrected_time_spends_no_budget(answer: FleetAnswer) -> None:
    """The budget stays the same while a correction lasts, and burns only before and after."""
    found = status_of(answer, "excused")
    ten, twenty = 10 * DAY, 20 * DAY
    during = {round(one.left, 3) for one in found.burn_down if ten < one.seconds_ago < twenty}

    assert Events(2 * EXCUSED, PER_STEP * EXCUSED) == found.excluded
    assert Burn(20.0, 10.0) == found.burns[Duration("1h")]
    assert {-9.0} == {round(left) for left in during}
    assert max(during) - min(during) < 0.2
    assert found.burn_down[-1].left == pytest.approx(-19.0)


def test_firing_alerts_are_listed_and_pending_ones_are_not(answer: FleetAnswer) -> None:
    """An alert that fires is listed with its severity; a pending alert is not."""
    expected = (FiringAlert("SloErrorBudgetBurnFast", "page"),)

    assert expected == status_of(answer, "breached").firing
    assert () == status_of(answer, "young").firing


def test_notes_name_foreign_slos_and_those_that_nobody_has(answer: FleetAnswer) -> None:
    """Notes name the SLOs that the catalogue does not declare, and what no service has."""
    assert (
        "The catalogue does not declare these SLOs of the server: foreign-slo.",
        "No service has recordings of these meta-repositories: aurora-fullstack-saas.",
        "No service has these SLOs in the last week: nebula-cost-forecast-accuracy.",
    ) == answer.notes


def test_stopped_rules_are_no_data_and_a_note(url: str) -> None:
    """Twenty minutes after the last evaluation no SLO has data, and a note says why."""
    statuses, notes = fleet(url, later=1200).answer(CATALOG)

    assert {"no_data"} == {one.state for one in statuses}
    assert "No rule was evaluated for 20 minutes" in notes[-1]


def test_stopped_rules_are_no_data_on_a_server_that_looks_back_for_long(tmp_path: Path) -> None:
    """Old recordings are no data even where a query still finds them."""
    with history_servers.prometheus(tmp_path, "--query.lookback-delta=1h") as url:
        statuses, notes = fleet(url, later=1200).answer(CATALOG)

    assert {"no_data"} == {one.state for one in statuses}
    assert "No rule was evaluated for 20 minutes" in notes[-1]


def test_store_of_thanos_that_is_down_is_an_error(tmp_path: Path) -> None:
    """Thanos without one of its stores gives no answer, in place of one without its bad events."""
    with history_servers.querier_and_sidecar(tmp_path) as (querier, sidecar):
        sidecar.stop()
        with pytest.raises(
            BackendError, match=r"cannot evaluate a query \(422\): .* stores answers"
        ):
            fleet(querier.url).statuses(CATALOG)


def test_chosen_slo_and_service_are_asked_for_alone(url: str) -> None:
    """Names of SLOs and labels of services choose the rows."""
    found = fleet(url).statuses(CATALOG, [AVAILABILITY.name], {"service_name": "young"})

    assert ["young"] == [one.service["service_name"] for one in found]


def test_named_slo_that_no_service_has_is_a_row_without_data(url: str) -> None:
    """A named SLO that no service has is a row without data, so that no gate passes."""
    (found,) = fleet(url).statuses(CATALOG, [AVAILABILITY.name], {"service_name": "unknown"})

    assert ("no_data", "unknown") == (found.state, found.service["service_name"])


def test_server_of_another_catalogue_is_an_error(url: str) -> None:
    """A server with the recordings of another catalogue alone is an error that names its SLOs."""
    with pytest.raises(BackendError, match=f"other SLOs alone .*{AVAILABILITY.name}.*; name their"):
        fleet(url).statuses(Catalog((Aurora,)))


def test_server_without_recordings_is_an_error(url: str) -> None:
    """A server without recordings in the last week is an error that names the command."""
    with pytest.raises(BackendError, match=r"none of the recordings slo:\*.*`otel-meta generate`"):
        fleet(url, later=8 * DAY).statuses(CATALOG)
