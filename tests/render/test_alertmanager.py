"""Who is told: the rendered configuration, asked through amtool and in a real Alertmanager."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from otel_meta.cli.demo.servers import ALERTMANAGER, Backend
from otel_meta.render.alertmanager import Receivers, Webhooks, alertmanager
from otel_meta.repos import BUILTIN
from tests.backends.notification_receiver import NotificationReceiver
from tests.rules.servers import fetch
from tests.rules.support import tool

URL = "http://127.0.0.1:9"
ANYBODY = Webhooks(page=f"{URL}/page", ticket=f"{URL}/ticket")
TEAMS = {
    "cloud-platform": Webhooks(page=f"{URL}/cloud/page", ticket=f"{URL}/cloud/ticket"),
    "service-mesh": Webhooks(page=f"{URL}/mesh/page", ticket=f"{URL}/mesh/ticket"),
}
RECEIVERS = Receivers(anybody=ANYBODY, watchdog=f"{URL}/watchdog", teams=TEAMS)

NEBULA = {"service_namespace": "nebula-cloud-platform", "service_name": "provisioner"}
TITAN = {"service_namespace": "titan-microservices-mesh", "service_name": "checkout"}
AURORA = {"service_namespace": "aurora-fullstack-saas", "service_name": "storefront"}


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """The configuration of two teams with webhooks of their own."""
    path = tmp_path / "alertmanager.yml"
    path.write_text(alertmanager(BUILTIN, RECEIVERS))
    return path


def amtool(*arguments: str | Path) -> str:
    """What amtool says to this; it has to be content."""
    done = subprocess.run([tool("amtool"), *arguments], capture_output=True, text=True, check=False)
    assert 0 == done.returncode, done.stdout + done.stderr
    return done.stdout


class TestConfiguration:
    def test_check(self, config: Path) -> None:
        """Alertmanager's own checker accepts it."""
        assert "SUCCESS" in amtool("check-config", config)

    def test_no_teams(self, tmp_path: Path) -> None:
        """It is valid where no team has webhooks of its own, too."""
        path = tmp_path / "alertmanager.yml"
        path.write_text(alertmanager(BUILTIN, Receivers(anybody=ANYBODY, watchdog=URL)))

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
    def test_routes(self, config: Path, receiver: str, labels: dict[str, str]) -> None:
        """Each alert goes to its team by its severity, and nothing gets lost."""
        pairs = [f"{name}={value}" for name, value in labels.items()]
        routed = amtool("config", "routes", "test", f"--config.file={config}", *pairs)

        assert receiver == routed.strip()

    def test_watchdog_repeats(self, config: Path) -> None:
        """The watchdog is told each minute, so that its absence is noticed soon."""
        routes = yaml.safe_load(config.read_text())["route"]["routes"]

        assert "1m" == routes[0]["repeat_interval"]

    def test_pure(self) -> None:
        """The same catalogue gives the same text."""
        assert alertmanager(BUILTIN, RECEIVERS) == alertmanager(BUILTIN, RECEIVERS)


def alert(name: str, severity: str, *, ends: datetime | None = None, **labels: str) -> Any:
    """An alert as Prometheus sends it."""
    now = datetime.now(UTC)
    return {
        "labels": {"alertname": name, "severity": severity} | labels,
        "startsAt": (ends or now).isoformat(),  # one older than group_wait would not wait
        "endsAt": (ends or now + timedelta(minutes=5)).isoformat(),
    }


class Live:
    """An Alertmanager with the rendered configuration, in a hurry."""

    def __init__(self, url: str, told: NotificationReceiver) -> None:
        self.url = url
        self.told = told

    def send(self, *alerts: Any) -> None:
        """As Prometheus does."""
        fetch(f"{self.url}/api/v2/alerts", list(alerts))

    def inhibited(self) -> list[str]:
        """The names of alerts that another one keeps back."""
        alerts = json.loads(fetch(f"{self.url}/api/v2/alerts"))
        return sorted(a["labels"]["alertname"] for a in alerts if a["status"]["inhibitedBy"])


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    """Waits are shortened, and nothing else of the configuration is touched."""
    with NotificationReceiver() as told:
        hooks = Webhooks(page=f"{told.url}/page", ticket=f"{told.url}/ticket")
        text = alertmanager(BUILTIN, Receivers(anybody=hooks, watchdog=f"{told.url}/watchdog"))
        for wait in ("group_wait: 30s", "group_wait: 5m"):
            text = text.replace(wait, "group_wait: 1s")
        for interval in ("group_interval: 5m", "group_interval: 1h"):
            text = text.replace(interval, "group_interval: 1s")
        server = Backend(program=ALERTMANAGER, folder=tmp_path, config=text, port=0)
        with server:
            yield Live(server.wait_until_ready().url, told)


class TestLive:
    def test_page_and_ticket(self, live: Live) -> None:
        """A page keeps the ticket about its promise back, comes in one message, and resolves."""
        slo = AURORA | {"slo": "aurora-api-availability"}
        other = AURORA | {"slo": "aurora-api-latency"}
        pages = [("SloBurnsFast", slo), ("SloBudgetExhausted", slo), ("SloBurnsFast", other)]
        tickets = [alert("SloBurnsSlowly", "ticket", **slo), alert("SloNoData", "ticket", **slo)]
        live.send(*(alert(n, "page", **labels) for n, labels in pages), *tickets)
        live.told.wait_for("/page", "firing")
        live.told.wait_for("/ticket", "firing")

        assert [["SloBudgetExhausted", "SloBurnsFast", "SloBurnsFast"]] == live.told.alert_names(
            "/page", "firing"
        )
        assert [["SloNoData"]] == live.told.alert_names("/ticket", "firing")
        assert ["SloBurnsSlowly"] == live.inhibited()

        over = datetime.now(UTC)
        live.send(*(alert(n, "page", ends=over, **labels) for n, labels in pages))
        live.told.wait_for("/page", "resolved")

        assert 3 == len(live.told.alert_names("/page", "resolved")[0])

    def test_other_services(self, live: Live) -> None:
        """A page keeps nothing back of another service, of another SLO, or without an SLO."""
        slo = AURORA | {"slo": "aurora-api-availability"}
        live.send(
            alert("SloBurnsFast", "page", **slo),
            alert("ObsidianCriticalFindings", "page"),
            alert("SloBurnsSlowly", "ticket", **(slo | {"service_name": "other"})),
            alert(
                "SloErrorBudgetBurningFast", "ticket", **(AURORA | {"slo": "aurora-api-latency"})
            ),
            alert("NebulaFreeTierLimitApproaching", "ticket"),
            alert("SloComplianceLow", "ticket", **AURORA),
        )
        live.told.wait_for("/ticket", "firing")

        assert [] == live.inhibited()

    def test_watchdog(self, live: Live) -> None:
        """The watchdog comes at once, to its own receiver alone."""
        live.send(alert("Watchdog", "none"))
        live.told.wait_for("/watchdog", "firing")

        assert ["/watchdog"] == [path for path, _ in live.told.notifications]
