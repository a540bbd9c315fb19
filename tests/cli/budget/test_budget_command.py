"""``otel-meta budget`` without a server."""

from __future__ import annotations

import json
from typing import Any

import pytest

from otel_meta.cli.budget.budget_json import service_budget
from otel_meta.model import Counter, Gauge, Histogram, NoLabels
from otel_meta.repos import BUILTIN
from otel_meta.status.events import Events
from otel_meta.status.status import Status
from tests.cli.conftest import RunCommand

SLO = "aurora-api-availability"
TOTAL = Counter("acme.calls", "Calls.", NoLabels)
FAILED = Counter("acme.failures", "Failures.", NoLabels)
TIME = Histogram("acme.duration", "Time.", NoLabels, unit="s", buckets=(0.1, 1))
FAILED_WORDS = "each event of acme_failures_total, among those of acme_calls_total"
LEVEL = Gauge("acme.level", "A level.", NoLabels)


@pytest.fixture
def budget(run_command: RunCommand) -> Any:
    """Function that returns the JSON of the command."""

    def ask(*arguments: str) -> Any:
        code, out, err = run_command("budget", *arguments, "--json")
        assert (0, "") == (code, err)
        return json.loads(out)

    return ask


class TestDeclaration:
    def test_budget_of_three_nines_in_thirty_days(self, budget: Any) -> None:
        """The declaration alone gives thresholds, and how long outages may last."""
        found = budget(SLO)
        (whole,) = found["budgets"]

        assert ["page", "page", "ticket", "ticket"] == [w["severity"] for w in found["windows"]]
        assert [0.0144, 0.006, 0.003, 0.001] == [w["bad_share"] for w in found["windows"]]
        assert [2592, 25_920, 259_200] == [o["budget_lasts_seconds"] for o in whole["outages"]]
        assert (None, None) == (whole["events"], whole["bad_events_left"])

    def test_total_outage_pages_after_the_time_of_the_workbook(self, budget: Any) -> None:
        """A total outage pages after 51.84 s, and 2 % of the budget is spent by then."""
        alert = budget(SLO)["budgets"][0]["outages"][0]["alerts"][0]

        assert (51.84, 0.02, None) == (
            alert["fires_after_seconds"],
            alert["budget_spent"],
            alert["obstacle"],
        )

    def test_events_of_a_period_turn_shares_into_counts(self, budget: Any) -> None:
        """With the events of a period, the bad events that are left are counted."""
        (found,) = budget(SLO, "--events", "1000000")["budgets"]

        assert (1000, 1000) == (found["bad_events_allowed"], found["bad_events_left"])

    def test_quiet_service_has_alerts_that_never_fire(
        self, budget: Any, run_command: RunCommand
    ) -> None:
        """With few events an alert never has its least bad events, and the report says so."""
        (found,) = budget(SLO, "--events", "720")["budgets"]
        _, out, _ = run_command("budget", SLO, "--events", "720")

        assert "too few bad events" == found["outages"][0]["alerts"][0]["obstacle"]
        assert "never: fewer than 3 bad in 1h" in out

    def test_limit_of_a_burn_rate_is_exact(self, run_command: RunCommand) -> None:
        """The limit of the first window over seven days is 13.44, as in the rules."""
        _, out, _ = run_command("budget", "aurora-api-latency")

        (line,) = (line for line in out.splitlines() if "1h and 5m" in line)
        assert ["13.44", "13.44%"] == line.split()[4:6]

    def test_report_names_the_source_of_its_formulas(self, run_command: RunCommand) -> None:
        """The report names the chapter with its formulas."""
        _, out, _ = run_command("budget", SLO)

        assert "chapter 5, https://sre.google/workbook/alerting-on-slos/" in out

    @pytest.mark.parametrize("name", [slo.name for repo in BUILTIN for slo in repo.slos.values()])
    def test_every_slo_has_a_report(self, name: str, run_command: RunCommand) -> None:
        """Each SLO of the catalogue has a report with its query and its outages."""
        code, out, err = run_command("budget", name)

        assert (0, "") == (code, err)
        assert 'service_namespace="' in out
        assert {"100% bad", "10% bad", "1% bad"} <= {
            line.split("  ")[0] for line in out.splitlines()
        }


class TestServiceBudget:
    def status(self, bad: float, total: float, coverage: float) -> Status:
        """Return the status of a service with these events in a part of the period."""
        slo = next(slo for repo in BUILTIN for slo in repo.slos.values() if slo.name == SLO)
        covered = coverage * slo.period.seconds
        events = Events(bad, total)
        return Status(slo=slo, repo="aurora", events=events, burns={}, covered=covered)

    def test_traffic_of_the_covered_part_is_that_of_the_period(self) -> None:
        """The rest of a period is taken to have as many events as its covered part."""
        found = service_budget(self.status(250, 500_000, 0.5))

        assert (1_000_000, 1000, 500) == (
            found["events"],
            found["bad_events_allowed"],
            found["bad_events_left"],
        )

    def test_overspent_budget_lasts_no_outage(self) -> None:
        """An outage after the budget is spent has no time left."""
        found = service_budget(self.status(2000, 1_000_000, 1.0))

        assert (-1.0, {0.0}) == (
            found["budget_left"],
            {outage["left_lasts_seconds"] for outage in found["outages"]},
        )

    def test_service_without_events_has_no_counts(self) -> None:
        """A service without events has no counts of events."""
        found = service_budget(self.status(0, 0, 0.0))

        assert (None, None) == (found["events"], found["bad_events_left"])
