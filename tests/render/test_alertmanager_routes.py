"""Routes of a project: words of severities, receivers that exist, working hours; with amtool."""

from __future__ import annotations

from pathlib import Path

import pytest

from otel_meta.render.alertmanager import alertmanager
from otel_meta.render.options import Options, TicketHours
from otel_meta.render.receivers import Existing, Receivers, Target, Webhooks
from otel_meta.repos import BUILTIN
from tests.render.test_alertmanager import AURORA, NEBULA, amtool
from tests.yaml_files import read_yaml

URL = "http://127.0.0.1:9"
OWN = """\
- name: on-call
- name: jira
- name: cloud
- name: dead-man
"""
"""The definitions of a user's receivers, as the last lines of a configuration."""


def receivers(page: Target, ticket: Target, watchdog: Target) -> Receivers:
    """Return receivers in which one team has a receiver of its own for pages."""
    default = Webhooks(page=page, ticket=ticket)
    team = Webhooks(page=Existing("cloud"), ticket=ticket)
    return Receivers(default=default, watchdog=watchdog, teams={"cloud-platform": team})


def write(folder: Path, options: Options, more: str = "") -> Path:
    """Write a configuration, and add lines to its end."""
    path = folder / "alertmanager.yml"
    path.write_text(alertmanager(BUILTIN, options) + more)
    return path


def receiver(config: Path, labels: dict[str, str]) -> str:
    """Return the receiver of an alert."""
    pairs = [f"{name}={value}" for name, value in labels.items()]
    return amtool("config", "routes", "test", f"--config.file={config}", *pairs).strip()


class TestExisting:
    @pytest.mark.parametrize("page", [Existing("on-call"), f"{URL}/page"])
    def test_definitions_are_added_to_the_end_of_file(self, tmp_path: Path, page: Target) -> None:
        """Definitions of receivers that exist are added to the end of the file."""
        options = Options(receivers=receivers(page, Existing("jira"), Existing("dead-man")))
        config = write(tmp_path, options, OWN)

        assert "SUCCESS" in amtool("check-config", config)
        assert "cloud" == receiver(config, NEBULA | {"severity": "page"})
        assert "jira" == receiver(config, NEBULA | {"severity": "ticket"})
        assert "jira" == receiver(config, {"alertname": "SomethingElse"})
        assert "dead-man" == receiver(config, {"alertname": "Watchdog"})
        assert ("on-call" if isinstance(page, Existing) else "page") == receiver(
            config, AURORA | {"severity": "page"}
        )

    def test_first_lines_name_receivers_to_add(self) -> None:
        """The first lines of the file name the receivers that the user has to add."""
        text = alertmanager(
            BUILTIN, Options(receivers=receivers(Existing("on-call"), f"{URL}/ticket", URL))
        )

        assert "# The receivers on-call, cloud are yours: add their definitions" in text


class TestSeverities:
    def test_words_of_severities_are_routed_and_inhibit(self, tmp_path: Path) -> None:
        """The words of severities are routed, and the generator's own words are not."""
        words = Options(severities={"page": "critical", "ticket": "warning"})
        config = write(tmp_path, words)

        assert "page" == receiver(config, AURORA | {"severity": "critical"})
        assert "ticket" == receiver(config, AURORA | {"severity": "warning"})
        source, target = (
            read_yaml(config.read_text())["inhibit_rules"][0][side]
            for side in ("source_matchers", "target_matchers")
        )
        assert 'severity="critical"' in source
        assert 'severity="warning"' in target


class TestTicketHours:
    def test_every_route_of_tickets_and_no_other_has_the_hours(self, tmp_path: Path) -> None:
        """Every route of tickets has the working hours, and no route of pages has them."""
        hours = TicketHours(time_zone="Europe/Berlin", begin="08:30", end="24:00")
        team = Receivers(
            default=Webhooks(page=URL, ticket=URL),
            watchdog=URL,
            teams={"cloud-platform": Webhooks(page=URL, ticket=URL)},
        )
        config = write(tmp_path, Options(ticket_hours=hours, receivers=team))
        written = read_yaml(config.read_text())
        by_severity = {route["receiver"]: route for route in written["route"]["routes"]}

        def hours_of(route: dict[str, object]) -> list[object]:
            below = route.get("routes", [])
            assert isinstance(below, list)
            return [route.get("active_time_intervals"), *(h for r in below for h in hours_of(r))]

        assert "SUCCESS" in amtool("check-config", config)
        assert [["ticket-hours"]] * 4 == hours_of(by_severity["ticket"])
        assert [None] * 4 == hours_of(by_severity["page"])
        assert [
            {
                "weekdays": ["monday:friday"],
                "times": [{"start_time": "08:30", "end_time": "24:00"}],
                "location": "Europe/Berlin",
            }
        ] == written["time_intervals"][0]["time_intervals"]
