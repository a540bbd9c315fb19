"""Who is told: the rendered configuration, asked through amtool and in a real Alertmanager."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from otel_meta.model import Duration
from otel_meta.render.alertmanager import alertmanager
from otel_meta.render.options import Options
from otel_meta.render.receivers import Receivers, Webhooks
from otel_meta.repos import BUILTIN
from otel_meta.testing.servers import ALERTMANAGER, Backend
from tests.backends.notification_receiver import NotificationReceiver
from tests.rules.pinned_tools import tool
from tests.rules.prometheus_server import fetch

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
        routes = yaml.safe_load(config.read_text())["route"]["routes"]

        assert "1m" == routes[0]["repeat_interval"]

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
        routes = list(_routes(yaml.safe_load(config.read_text())["route"]))
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


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    """Start an Alertmanager; only the waits differ from the rendered configuration."""
    with NotificationReceiver() as told:
        hooks = Webhooks(page=f"{told.url}/page", ticket=f"{told.url}/ticket")
        text = alertmanager(
            BUILTIN, Options(receivers=Receivers(default=hooks, watchdog=f"{told.url}/watchdog"))
        )
        for wait in ("group_wait: 30s", "group_wait: 5m"):
            text = text.replace(wait, "group_wait: 1s")
        for interval in ("group_interval: 5m", "group_interval: 1h"):
            text = text.replace(interval, "group_interval: 1s")
        server = Backend(program=ALERTMANAGER, folder=tmp_path, config=text, port=0)
        with server:
            yield Live(server.wait_until_ready().url, told)


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
