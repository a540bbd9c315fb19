"""Who is told: the rendered configuration, asked through amtool and in a real Alertmanager."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from otel_meta.model import Duration
from otel_meta.model.identity import DEFAULT, Identity
from otel_meta.render.alertmanager import alertmanager
from otel_meta.render.options import Options, TicketHours
from otel_meta.render.receivers import Receivers, Webhooks
from otel_meta.repos import BUILTIN
from otel_meta.testing.servers import ALERTMANAGER, Backend
from tests.backends.notification_receiver import NotificationReceiver
from tests.rules.pinned_tools import tool
from tests.rules.prometheus_server import fetch
from tests.waiting import poll, wait_until
from tests.yaml_files import read_yaml

URL = "http://127.0.0.1:9"
ANYBODY = Webhooks(page=f"{URL}/page", ticket=f"{URL}/ticket")
TEAMS = {
    "cloud-platform": Webhooks(page=f"{URL}/cloud/page", ticket=f"{URL}/cloud/ticket"),
    "service-mesh": Webhooks(page=f"{URL}/mesh/page", ticket=f"{URL}/mesh/ticket"),
}
RECEIVERS = Receivers(default=ANYBODY, watchdog=f"{URL}/watchdog", teams=TEAMS)

NEBULA = {"service_namespace": "nebula-cloud-platform", "service_name": "provisioner"}
TITAN = {"service_namespace": "titan-microservices-mesh", "service_name": "checkout"}
AURORA = {"service_namespace": "aurora-fullstack-saas", "service_name": "storefront"}


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Write the configuration of two teams with own webhooks."""
    path = tmp_path / "alertmanager.yml"
    path.write_text(alertmanager(BUILTIN, Options(receivers=RECEIVERS)))
    return path


def amtool(*arguments: str | Path) -> str:
    """Run amtool, which must succeed, and return its output."""
    done = subprocess.run([tool("amtool"), *arguments], capture_output=True, text=True, check=False)
    assert 0 == done.returncode, done.stdout + done.stderr
    return done.stdout


class TestConfiguration:
    def test_amtool_accepts_configuration(self, config: Path) -> None:
        """Amtool accepts the configuration."""
        assert "SUCCESS" in amtool("check-config", config)

    def test_amtool_accepts_configuration_without_teams(self, tmp_path: Path) -> None:
        """Amtool accepts a configuration without teams."""
        path = tmp_path / "alertmanager.yml"
        path.write_text(
            alertmanager(BUILTIN, Options(receivers=Receivers(default=ANYBODY, watchdog=URL)))
        )

        assert "SUCCESS" in amtool("check-config", path)

    @pytest.mark.parametrize(
        ("receiver", "labels"),
        [
            ("cloud-platform-page", NEBULA | {"severity": "page", "slo": "nebula-api-latency"}),
            ("cloud-platform-ticket", NEBULA | {"severity": "ticket"}),
            (
                "service-mesh-page",
                TITAN | {"severity": "page", "alertname": "SloMultipleViolations"},
            ),
            ("service-mesh-ticket", TITAN | {"severity": "ticket"}),
            ("page", AURORA | {"severity": "page"}),
            ("ticket", AURORA | {"severity": "ticket"}),
            ("watchdog", {"alertname": "Watchdog", "severity": "none"}),
            ("ticket", {"alertname": "SomethingElse"}),
        ],
    )
    def test_each_alert_is_routed_by_team_and_severity(
        self, config: Path, receiver: str, labels: dict[str, str]
    ) -> None:
        """Each alert is routed by team and severity."""
        pairs = [f"{name}={value}" for name, value in labels.items()]
        routed = amtool("config", "routes", "test", f"--config.file={config}", *pairs)

        assert receiver == routed.strip()

    def test_watchdog_is_repeated_each_minute(self, config: Path) -> None:
        """The watchdog is repeated each minute."""
        routes = read_yaml(config.read_text())["route"]["routes"]

        assert ("1m", "50s") == (routes[0]["group_interval"], routes[0]["repeat_interval"])

    @pytest.mark.parametrize(
        ("severity", "longest"),
        [
            ("page", {"group_wait": "1m", "group_interval": "5m", "repeat_interval": "4h"}),
            ("ticket", {"group_wait": "5m", "group_interval": "1h", "repeat_interval": "3d"}),
        ],
    )
    def test_every_notification_is_in_time_for_its_severity(
        self, config: Path, severity: str, longest: Mapping[str, str]
    ) -> None:
        """A page is sent within minutes and again in the same shift; a ticket the same day."""
        routes = list(_routes(read_yaml(config.read_text())["route"]))
        waits = [one for one in routes if one["receiver"].endswith(severity)]

        late = {
            (one["receiver"], name)
            for one in waits
            for name, longest_wait in longest.items()
            if Duration(one[name]).seconds > Duration(longest_wait).seconds
        }

        assert len(waits) > 1
        assert set() == late

    def test_rendering_is_deterministic(self) -> None:
        """Rendering is deterministic."""
        assert alertmanager(BUILTIN, Options(receivers=RECEIVERS)) == alertmanager(
            BUILTIN, Options(receivers=RECEIVERS)
        )


def _routes(route: Mapping[str, Any], above: Mapping[str, Any] | None = None) -> Iterator[Any]:
    """Yield a route and all routes below it, with the waits that they inherit."""
    whole = {**(above or {}), **route}
    yield whole
    for below in route.get("routes", []):
        yield from _routes(below, {**whole, "routes": []})


def alert(
    name: str,
    severity: str,
    labels: Mapping[str, str] | None = None,
    *,
    ends: datetime | None = None,
) -> Any:
    """Return an alert in the format of Prometheus' notifier."""
    now = datetime.now(UTC)
    return {
        "labels": {"alertname": name, "severity": severity, **(labels or {})},
        "startsAt": (ends or now).isoformat(),  # one older than group_wait would not wait
        "endsAt": (ends or now + timedelta(minutes=5)).isoformat(),
    }


class Live:
    """An Alertmanager with the rendered configuration and short waits."""

    def __init__(self, url: str, told: NotificationReceiver) -> None:
        self.url = url
        self.told = told

    def send(self, *alerts: Any) -> None:
        """Send alerts to the Alertmanager."""
        fetch(f"{self.url}/api/v2/alerts", list(alerts))

    def inhibited(self) -> list[str]:
        """Return the names of inhibited alerts."""
        alerts = json.loads(fetch(f"{self.url}/api/v2/alerts"))
        return sorted(a["labels"]["alertname"] for a in alerts if a["status"]["inhibitedBy"])

    def muted(self) -> list[str]:
        """Return the time intervals that mute a group, a group each."""
        groups = json.loads(fetch(f"{self.url}/api/v2/alerts/groups"))
        return [
            name
            for group in groups
            for name in {n for a in group["alerts"] for n in a["status"].get("mutedBy", [])}
        ]


@contextmanager
def running(folder: Path, **choices: Any) -> Iterator[Live]:
    """Run an Alertmanager; only the waits differ from the rendered configuration."""
    with NotificationReceiver() as told:
        hooks = Webhooks(page=f"{told.url}/page", ticket=f"{told.url}/ticket")
        receivers = Receivers(default=hooks, watchdog=f"{told.url}/watchdog")
        text = alertmanager(BUILTIN, Options(receivers=receivers, **choices))
        for wait in ("group_wait: 30s", "group_wait: 5m"):
            text = text.replace(wait, "group_wait: 1s")
        for interval in ("group_interval: 5m", "group_interval: 1h"):
            text = text.replace(interval, "group_interval: 1s")
        server = Backend(program=ALERTMANAGER, folder=folder, config=text, port=0)
        with server:
            yield Live(server.wait_until_ready().url, told)


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    """Start an Alertmanager with default options."""
    with running(tmp_path) as live:
        yield live


class TestLive:
    def test_page_inhibits_ticket_of_its_slo_and_pages_are_grouped(self, live: Live) -> None:
        """A page inhibits the ticket of its SLO, and pages are grouped and resolved."""
        slo = AURORA | {"slo": "aurora-api-availability"}
        other = AURORA | {"slo": "aurora-api-latency"}
        pages = [
            ("SloErrorBudgetBurnFast", slo),
            ("SloErrorBudgetExhausted", slo),
            ("SloErrorBudgetBurnFast", other),
        ]
        tickets = [
            alert("SloErrorBudgetBurnSlow", "ticket", slo),
            alert("SloNoData", "ticket", slo),
        ]
        live.send(*(alert(n, "page", labels) for n, labels in pages), *tickets)
        live.told.wait_for("/page", "firing")
        live.told.wait_for("/ticket", "firing")

        assert [
            ["SloErrorBudgetBurnFast", "SloErrorBudgetBurnFast", "SloErrorBudgetExhausted"]
        ] == live.told.alert_names("/page", "firing")
        assert [["SloNoData"]] == live.told.alert_names("/ticket", "firing")
        assert ["SloErrorBudgetBurnSlow"] == live.inhibited()

        over = datetime.now(UTC)
        live.send(*(alert(n, "page", labels, ends=over) for n, labels in pages))
        live.told.wait_for("/page", "resolved")

        assert 3 == len(live.told.alert_names("/page", "resolved")[0])

    def test_page_inhibits_declared_ticket_that_says_the_same(self, live: Live) -> None:
        """The page of an SLO inhibits the declared ticket about the same SLO of the service."""
        slo = TITAN | {"slo": "titan-service-availability"}
        live.send(
            alert("SloErrorBudgetBurnFast", "page", slo),
            alert("TitanHighServiceErrorRate", "ticket", slo),
            alert("TitanCircuitBreakerOpen", "ticket", TITAN),
        )
        live.told.wait_for("/ticket", "firing")

        assert [["TitanCircuitBreakerOpen"]] == live.told.alert_names("/ticket", "firing")
        assert ["TitanHighServiceErrorRate"] == live.inhibited()

    def test_loss_of_most_services_is_one_page(self, live: Live) -> None:
        """The page about most services of a cluster inhibits the page about each of them."""
        here, there = {"cluster": "here"}, {"cluster": "there"}
        live.send(
            alert("TelemetryLost", "page", here),
            alert("ServiceDown", "page", TITAN | here),
            alert("ServiceDown", "page", AURORA | there),
        )
        wait_until(lambda: len(live.told.alert_names("/page", "firing")) > 1)

        assert [["ServiceDown"], ["TelemetryLost"]] == sorted(
            live.told.alert_names("/page", "firing")
        )
        assert ["ServiceDown"] == live.inhibited()

    def test_page_inhibits_no_ticket_of_another_service_or_slo(self, live: Live) -> None:
        """A page inhibits no ticket of another service or SLO."""
        slo = AURORA | {"slo": "aurora-api-availability"}
        live.send(
            alert("SloErrorBudgetBurnFast", "page", slo),
            alert("ObsidianCriticalFindings", "page"),
            alert("SloErrorBudgetBurnSlow", "ticket", (slo | {"service_name": "other"})),
            alert("SloErrorBudgetBurningFast", "ticket", (AURORA | {"slo": "aurora-api-latency"})),
            alert("NebulaFreeTierLimitApproaching", "ticket"),
            alert("SloComplianceLow", "ticket", AURORA),
        )
        live.told.wait_for("/ticket", "firing")

        assert [] == live.inhibited()

    def test_watchdog_is_sent_at_once_and_only_to_its_receiver(self, live: Live) -> None:
        """The watchdog is sent at once and only to its receiver."""
        live.send(alert("Watchdog", "none"))
        live.told.wait_for("/watchdog", "firing")

        assert ["/watchdog"] == [path for path, _ in live.told.notifications]

    def test_only_a_page_about_the_present_inhibits(self, live: Live) -> None:
        """A ticket about an exhausted budget, and a page of another kind, inhibit nothing."""
        slo = AURORA | {"slo": "aurora-api-availability"}
        other = AURORA | {"slo": "aurora-api-latency"}
        live.send(
            alert("SloErrorBudgetExhausted", "ticket", slo),
            alert("SloErrorBudgetBurnSlow", "ticket", slo),
            alert("SloMultipleViolations", "page", other),
            alert("SloErrorBudgetBurnSlow", "ticket", other),
        )
        live.told.wait_for("/ticket", "firing")
        live.told.wait_for("/page", "firing")

        assert [] == live.inhibited()

    def test_paging_exhausted_budget_inhibits_ticket(self, live: Live) -> None:
        """A page about an exhausted budget inhibits the ticket of its SLO."""
        slo = AURORA | {"slo": "aurora-api-availability"}
        live.send(
            alert("SloErrorBudgetExhausted", "page", slo),
            alert("SloErrorBudgetBurnSlow", "ticket", slo),
        )
        live.told.wait_for("/page", "firing")

        assert ["SloErrorBudgetBurnSlow"] == live.inhibited()

    def test_service_that_is_down_inhibits_its_tickets_about_missing_data(self, live: Live) -> None:
        """A service that is down inhibits its own tickets about missing data, and no other."""
        slo = {"slo": "aurora-api-availability"}
        live.send(
            alert("ServiceDown", "page", AURORA),
            alert("SloNoData", "ticket", AURORA | slo),
            alert("SloNoEvents", "ticket", AURORA | slo),
            alert("SloErrorBudgetBurnSlow", "ticket", AURORA | slo),
            alert("SloNoData", "ticket", TITAN | slo),
        )
        live.told.wait_for("/page", "firing")
        live.told.wait_for("/ticket", "firing")

        assert ["SloNoData", "SloNoEvents"] == live.inhibited()

    def test_page_about_most_services_inhibits_page_of_each(self, live: Live) -> None:
        """A page about most services of a place inhibits the page of each, in this place alone."""
        live.send(
            alert("TelemetryLost", "page", {"cluster": "blue"}),
            alert("ServiceDown", "page", AURORA | {"cluster": "blue"}),
            alert("ServiceDown", "page", TITAN | {"cluster": "blue"}),
            alert("ServiceDown", "page", AURORA | {"cluster": "green"}),
        )
        poll(lambda: 2 <= len(live.told.alert_names("/page", "firing")))

        assert ["ServiceDown"] * 2 == live.inhibited()
        assert [["ServiceDown"], ["TelemetryLost"]] == sorted(
            live.told.alert_names("/page", "firing")
        )

    def test_alerts_without_service_are_grouped_by_name(self, live: Live) -> None:
        """Alerts without a service are grouped by name, and wait for no other name."""
        nebula = {"service_namespace": "nebula-cloud-platform"}
        live.send(
            alert("TemplateDrifts", "page", nebula | {"template": "a"}),
            alert("TemplateDrifts", "page", nebula | {"template": "b"}),
            alert("QuotaReached", "page", nebula | {"quota": "cpu"}),
        )
        poll(lambda: 2 <= len(live.told.alert_names("/page", "firing")))

        assert [["QuotaReached"], ["TemplateDrifts"] * 2] == sorted(
            live.told.alert_names("/page", "firing")
        )


PLACES = ("deployment_environment_name", "environment", "cluster", "region")


@pytest.mark.parametrize("place", PLACES)
class TestPlaces:
    """Two places of one service, told apart by a label of identity."""

    def test_page_of_one_place_inhibits_no_ticket_of_another(
        self, tmp_path: Path, place: str
    ) -> None:
        """A page of one place inhibits no ticket of another, and shares no notification."""
        slo = AURORA | {"slo": "aurora-api-availability"}
        with running(tmp_path, identity=Identity((*DEFAULT.places, "region"))) as live:
            live.send(
                alert("SloErrorBudgetBurnFast", "page", slo | {place: "dev"}),
                alert("SloErrorBudgetBurnSlow", "ticket", slo | {place: "dev"}),
                alert("SloErrorBudgetBurnSlow", "ticket", slo | {place: "prod"}),
                alert("SloErrorBudgetBurnFast", "page", slo | {place: "test"}),
            )
            poll(lambda: 2 <= len(live.told.alert_names("/page", "firing")))
            live.told.wait_for("/ticket", "firing")

            assert [["SloErrorBudgetBurnFast"]] * 2 == live.told.alert_names("/page", "firing")
            assert [{**slo, place: "prod"}] == [
                {name: sent["labels"].get(name) for name in (*slo, place)}
                for path, body in live.told.notifications
                if path == "/ticket"
                for sent in body["alerts"]
            ]


class TestTicketHours:
    @pytest.mark.parametrize("is_open", [True, False])
    def test_ticket_waits_outside_of_the_hours_and_page_does_not(
        self, tmp_path: Path, *, is_open: bool
    ) -> None:
        """Outside of the working hours a ticket waits; a page never waits."""
        today = datetime.now(ZoneInfo("Asia/Tokyo"))
        day = (today if is_open else today + timedelta(days=3)).strftime("%A").lower()
        hours = TicketHours(time_zone="Asia/Tokyo", days=(day,), begin="00:00", end="24:00")
        with running(tmp_path, ticket_hours=hours) as live:
            live.send(
                alert("SloNoData", "ticket", AURORA),
                alert("ObsidianCriticalFindings", "ticket", {"scanner": "a"}),
                alert("SloErrorBudgetBurnFast", "page", TITAN),
            )
            live.told.wait_for("/page", "firing")
            poll(lambda: len(live.muted()) == (0 if is_open else 2))
            if is_open:
                poll(lambda: len(live.told.alert_names("/ticket", "firing")) == 2)

            assert (2 if is_open else 0) == len(live.told.alert_names("/ticket", "firing"))
            assert ([] if is_open else ["ticket-hours"] * 2) == live.muted()
