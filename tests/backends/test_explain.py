"""``otel-meta explain`` on real servers with a made incident: one route fails on one instance."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from otel_meta.cli import main
from otel_meta.render.rules import series_names
from otel_meta.repos import Titan
from tests.backends.made_incident import (
    END,
    FAULT,
    HOSTILE,
    HOURS,
    OTHER,
    SERVICE,
    SLO,
    TIMES,
    history,
)
from tests.backends.query_engines import VictoriaMetrics, backfill, prometheus
from tests.rules.committed_rules import rules_of
from tests.rules.prometheus_server import fetch
from tests.rules.raw_series import label_text
from tests.waiting import poll

HISTORY = history()


@contextmanager
def _prometheus(folder: Path) -> Iterator[str]:
    backfill(HISTORY, TIMES, folder)
    with prometheus(folder) as engine:
        yield engine.url


@contextmanager
def _victoria(folder: Path) -> Iterator[str]:
    with VictoriaMetrics.running(folder) as server:
        server.import_series(HISTORY, TIMES)
        yield server.url


SERVERS: Mapping[str, Callable[[Path], AbstractContextManager[str]]] = {
    "Prometheus": _prometheus,
    "VictoriaMetrics": _victoria,
}


@pytest.fixture(scope="module", params=SERVERS)
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server with the incident."""
    with SERVERS[request.param](tmp_path_factory.mktemp("explain")) as found:
        yield found


def test_text_of_an_alert_names_the_cause_in_vmalert(tmp_path: Path) -> None:
    """Vmalert expands the text of a page: the causes with escaped signs, and the time left."""
    now = int(time.time()) // 60 * 60
    left = series_names.BUDGET_REMAINING + label_text({**SERVICE, "slo": SLO.name})
    history = {**HISTORY, left: f"0.5x{HOURS * 60}"}
    (rules := tmp_path / "page.yml").write_text(json.dumps({"groups": [_page()]}))
    with VictoriaMetrics.running(tmp_path / "server") as server:
        server.import_series(history, range(now - HOURS * 3600, now + 1, 60))
        with server.evaluating(rules) as url:
            (alert,) = poll(lambda: _alerts(url))
    text = alert["annotations"]["description"]

    assert 'Of the bad events over 1h, instance="b:1" explains 6' in text
    assert r', http_route="/ord\"ers\\`{{x}}" explains 5' in text
    assert "50% of the error budget is left, gone in 3h 36m 0s at this rate." in text


def _alerts(url: str) -> Any:
    """Return the alerts that fire; none until vmalert answers."""
    try:
        return json.loads(fetch(f"{url}/api/v1/alerts"))["data"]["alerts"]
    except OSError:
        return []


def _page() -> Mapping[str, Any]:
    """Return the committed page of the SLO, evaluated each second."""
    _, alerts = rules_of(Titan, SLO)
    (page,) = (rule for rule in alerts["rules"] if rule["alert"] == "SloErrorBudgetBurnFast")
    return {"name": "page", "interval": "1s", "rules": [page]}


def moment(seconds: float) -> str:
    """Return a time as the option --at reads it."""
    return datetime.fromtimestamp(seconds, UTC).isoformat()


@pytest.fixture
def explained(url: str, capsys: pytest.CaptureFixture[str]) -> Any:
    """The explanation of the incident, as JSON."""
    assert 0 == main(["explain", SLO.name, "--prometheus", url, "--at", moment(END), "--json"])
    return json.loads(capsys.readouterr().out)


class TestIncident:
    def test_service_that_burns_is_explained(self, explained: Any) -> None:
        """Of two services, the one that burns is explained."""
        assert SERVICE == explained["status"]["service"]

    def test_route_on_one_instance_is_the_cause(self, explained: Any) -> None:
        """The route that fails on one instance is the first cause; a usual failure is none."""
        cause, *others = explained["causes"]

        assert {"http_route": HOSTILE, "instance": "b:1"} == cause["part"]
        assert pytest.approx(1.0, abs=0.02) == cause["share"]
        assert "/search" not in str(others)
        assert pytest.approx(40 * FAULT, rel=0.05) == cause["bad"]

    def test_kinds_of_failure_are_no_causes(self, explained: Any) -> None:
        """Status code and type of error say how the cause fails."""
        (kind,) = explained["kinds"]

        assert {"error_type": "503", "http_response_status_code": "503"} == kind["labels"]

    def test_burn_has_a_beginning(self, explained: Any) -> None:
        """The error budget burns since the beginning of the fault."""
        assert pytest.approx(END - FAULT * 60, abs=180) == explained["burning_since"]

    def test_report_names_the_cause_in_its_table(
        self, url: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """The report names the cause with its signs escaped, and its share."""
        main(["explain", SLO.name, "--prometheus", url, "--at", moment(END)])
        text = capsys.readouterr().out

        assert r'http_route="/ord\"ers\\`{{x}}", instance="b:1"' in text
        assert "100%" in text
        assert "Burning for 19 min" in text

    def test_named_service_is_explained(self, url: str, capsys: pytest.CaptureFixture[str]) -> None:
        """A service that is named is explained although it does not burn, and has no new cause."""
        arguments = ["explain", SLO.name, "--prometheus", url, "--at", moment(END)]
        assert 0 == main([*arguments, "--service", OTHER["service_name"], "--json"])
        found = json.loads(capsys.readouterr().out)

        assert OTHER == found["status"]["service"]
        assert [] == found["causes"]

    def test_time_without_events_is_a_finding(
        self, url: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """A time with recordings, and without events in the span, says so with exit code 1."""
        at = moment(END + 3 * 3600)
        code = main(["explain", SLO.name, "--prometheus", url, "--at", at, "--over", "30m"])

        assert 1 == code
        assert "no events in 30m" in capsys.readouterr().out
