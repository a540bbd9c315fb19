"""An incident with all servers: normal operation, a fault in the card network, and its end."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from otel_meta.cli.demo.services import Service
from otel_meta.cli.demo.traffic import Traffic
from tests.backends.alerting_servers import Prometheus
from tests.backends.full_stack import SERVICES, FullStack, Json
from tests.rules.committed_rules import committed_groups
from tests.waiting import poll

PAGE, TICKET = "SloErrorBudgetBurnFast", "SloErrorBudgetBurnSlow"
PAYMENTS_SLO = {
    "service_namespace": "titan-microservices-mesh",
    "service_name": "payments",
    "slo": "titan-service-availability",
}
STOREFRONT_SLO = {
    "service_namespace": "aurora-fullstack-saas",
    "service_name": "storefront",
    "slo": "aurora-api-availability",
}
_FAILED = "?service=payments&limit=1&tags=%7B%22error.type%22%3A%22503%22%7D"
"""The query for a trace of a refused payment."""


@dataclass
class Incident:
    """All observations of the incident; None or empty for an expected event that did not happen."""

    trace: Json | None
    log_lines: Mapping[str, Sequence[Json]]
    """The log lines with the id of the trace, by service."""
    exemplar: Json | None
    traces_of_exemplar: Sequence[Json]
    rule_groups: Sequence[Json]
    """The groups that Prometheus has loaded and evaluated."""
    alerts: Sequence[Json]
    """The alerts about the SLO in Alertmanager during the fault."""
    pages: Sequence[Json]
    tickets: Sequence[Json]
    page_text: str
    """The description of the page about the SLO of storefront, in its notification."""
    explained: str
    """The output of the command in this text, during the fault."""
    page_is_resolved: bool
    page_stops_firing: bool
    """True if the SLO pages no more; SLOs of latency may still page on a busy machine."""


def run_incident() -> Incident:
    """Run the whole incident, and wait for each of its events."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="otel-meta-incident-")))
        servers = FullStack(folder, stack)
        stack.enter_context(Traffic(servers.services["storefront"].url))
        trace = poll(lambda: _trace_of_both_services(servers))
        log_lines = {name: _log_lines(each, trace) for name, each in servers.services.items()}
        exemplar, traces_of_exemplar = _exemplar_and_traces(servers)
        rule_groups = poll(lambda: _evaluated_groups(servers.prometheus))
        alerts = _begin_fault(servers)
        page_text = _text_of_page(servers)
        poll(lambda: servers.traces(_FAILED))
        explained = _explained(page_text, servers, folder)
        page_is_resolved = _end_fault(servers)
        return Incident(
            trace=trace,
            log_lines=log_lines,
            exemplar=exemplar,
            traces_of_exemplar=traces_of_exemplar,
            rule_groups=rule_groups,
            alerts=alerts,
            pages=servers.receiver.bodies("/page"),
            tickets=servers.receiver.bodies("/ticket"),
            page_text=page_text,
            explained=explained,
            page_is_resolved=page_is_resolved,
            page_stops_firing=poll(lambda: not servers.prometheus.is_firing(PAGE, **PAYMENTS_SLO)),
        )


pytestmark = pytest.mark.background.with_args(run_incident)


@pytest.fixture
def incident(background_result: Incident) -> Incident:
    """The incident, after its end."""
    return background_result


def _trace_of_both_services(servers: FullStack) -> Json | None:
    traces = servers.traces("?service=payments&limit=200")
    return next((trace for trace in traces if SERVICES == _services_of(trace)), None)


def _services_of(trace: Json) -> set[str]:
    return {process["serviceName"] for process in trace["processes"].values()}


def _log_lines(service: Service, trace: Json | None) -> Sequence[Json]:
    if trace is None:
        return []
    return [json.loads(line) for line in service.lines() if trace["traceID"] in line]


def _exemplar_and_traces(servers: FullStack) -> tuple[Json | None, Sequence[Json]]:
    exemplars = poll(servers.exemplars)
    if not exemplars:
        return None, []
    path = f"/{exemplars[0]['labels'].get('trace_id')}"
    return exemplars[0], poll(lambda: servers.traces(path))


def _evaluated_groups(prometheus: Prometheus) -> Sequence[Json]:
    """Return all rule groups, or none until each rule has been evaluated."""
    groups: Sequence[Json] = prometheus.get("rules")["groups"]
    done = all(rule["health"] != "unknown" for group in groups for rule in group["rules"])
    return groups if done else []


def _begin_fault(servers: FullStack) -> Sequence[Json]:
    """Let the card network fail until payments has a page; return the alerts in Alertmanager."""
    servers.services["payments"].put("/faults", {"error_ratio": 0.7})
    poll(lambda: PAGE in _slo_alerts(servers.receiver.alerts("/page", "firing")))
    poll(lambda: TICKET in _inhibited(servers.alerts(PAYMENTS_SLO)))
    return servers.alerts(PAYMENTS_SLO)


def _text_of_page(servers: FullStack) -> str:
    """Return the text of the page about storefront, as soon as it names a cause."""
    found = poll(lambda: [text for text in _page_texts(servers) if "Of the bad events" in text])
    return found[-1] if found else ""


def _page_texts(servers: FullStack) -> Sequence[str]:
    return [
        alert["annotations"]["description"]
        for alert in servers.receiver.alerts("/page", "firing")
        if STOREFRONT_SLO.items() <= alert["labels"].items()
        and alert["labels"]["alertname"] == PAGE
    ]


def _explained(page_text: str, servers: FullStack, folder: Path) -> str:
    """Return what a person reads who runs the command at the end of a page's text."""
    command = page_text.rpartition("The cause: otel-meta ")[2].split()
    logs = [str(folder / f"{name}.log") for name in SERVICES]
    more = ["--over", "1m", "--traces", servers.jaeger.url, "--logs", *logs]
    done = subprocess.run(
        [sys.executable, "-m", "otel_meta", *command, *more],
        env={**os.environ, "OTEL_META_SERVER_URL": servers.prometheus.url},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return done.stdout + done.stderr


def _inhibited(alerts: Sequence[Json]) -> set[str]:
    return {a["labels"]["alertname"] for a in alerts if a["status"]["inhibitedBy"]}


def _end_fault(servers: FullStack) -> bool:
    """Repair the card network; return True if the page is then resolved."""
    servers.services["payments"].put("/faults", {"error_ratio": 0.0})
    return poll(lambda: PAGE in _slo_alerts(servers.receiver.alerts("/page", "resolved")))


def _slo_alerts(alerts: Sequence[Json]) -> set[str]:
    """Return the names of the alerts about the SLO of payments."""
    labels = [a["labels"] for a in alerts if PAYMENTS_SLO.items() <= a["labels"].items()]
    return {label["alertname"] for label in labels}


class TestNormalOperation:
    def test_trace_covers_both_services(self, incident: Incident) -> None:
        """Jaeger has one trace over both services for an order."""
        assert incident.trace is not None
        assert SERVICES == _services_of(incident.trace)

    @pytest.mark.parametrize("service", sorted(SERVICES))
    def test_log_lines_have_the_trace_id(self, incident: Incident, service: str) -> None:
        """Each service logs lines with the id of this trace."""
        assert incident.trace is not None
        trace_ids = {line["trace_id"] for line in incident.log_lines[service]}

        assert {incident.trace["traceID"]} == trace_ids

    def test_exemplar_leads_to_a_trace(self, incident: Incident) -> None:
        """An exemplar of a bucket in Prometheus has the id of a trace in Jaeger."""
        assert incident.exemplar is not None
        trace_id = incident.exemplar["labels"]["trace_id"]

        assert [trace_id] == [trace["traceID"] for trace in incident.traces_of_exemplar]

    def test_every_rule_is_evaluated_without_error(self, incident: Incident) -> None:
        """Prometheus loads every committed rule, and evaluates each without an error."""
        expected = sum(len(g["rules"]) for groups in committed_groups().values() for g in groups)
        health = [rule["health"] for group in incident.rule_groups for rule in group["rules"]]

        assert ["ok"] * expected == health


class TestFault:
    def test_burn_of_the_error_budget_pages(self, incident: Incident) -> None:
        """A fault in the card network burns the error budget of payments, and a page is sent."""
        firing = [a for page in incident.pages for a in page["alerts"] if a["status"] == "firing"]

        assert PAGE in _slo_alerts(firing)

    def test_pages_are_grouped_by_service(self, incident: Incident) -> None:
        """A notification has all pages of a single service."""
        services = [
            {alert["labels"].get("service_name") for alert in page["alerts"]}
            for page in incident.pages
        ]

        assert {1} == {len(names) for names in services}
        assert max(len(page["alerts"]) for page in incident.pages) > 1

    def test_page_inhibits_the_ticket(self, incident: Incident) -> None:
        """The page inhibits the ticket about the same SLO."""
        sent = [alert for ticket in incident.tickets for alert in ticket["alerts"]]

        assert TICKET in _inhibited(incident.alerts)
        assert TICKET not in _slo_alerts(sent)


class TestReason:
    def test_page_names_the_route_that_fails(self, incident: Incident) -> None:
        """The page names the route that explains the bad events, and nothing is left unexpanded."""
        assert re.search(r'http_route="/orders" explains (100|9\d)%', incident.page_text)
        assert "{{" not in incident.page_text

    def test_page_ends_with_the_command_that_finds_the_cause(self, incident: Incident) -> None:
        """The page ends with the command, the SLO and the service, as a shell takes them."""
        slo, service = STOREFRONT_SLO["slo"], STOREFRONT_SLO["service_name"]

        assert incident.page_text.endswith(f" otel-meta explain {slo} --service {service}")

    def test_command_leads_to_route_trace_and_log_line(self, incident: Incident) -> None:
        """The command names the route, the span in which a trace fails, and its log lines."""
        first = incident.explained.partition("PART")[2].splitlines()[2]

        assert first.startswith('http_route="/orders"')
        assert re.search(r"trace [0-9a-f]{32}", incident.explained)
        assert "fails in payments: POST /payments" in incident.explained
        assert " info storefront request POST /orders 503 " in incident.explained


class TestEndOfFault:
    def test_page_is_resolved(self, incident: Incident) -> None:
        """The page is resolved after the end of the fault."""
        assert incident.page_is_resolved
        assert incident.page_stops_firing
