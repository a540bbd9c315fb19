"""Storefront and payments with all servers: they do well, something breaks, and it is mended."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest
import yaml

from otel_meta.cli.demo.services import Service, examples_folder
from otel_meta.cli.demo.stack_config import jaeger_config, prometheus_config
from otel_meta.cli.demo.stop_signal import StopSignal
from otel_meta.cli.demo.traffic import Traffic
from otel_meta.testing.loopback import free_port
from otel_meta.testing.servers import JAEGER, Backend
from tests.backends.pipeline import Collector
from tests.backends.servers import Prometheus, Told, alertmanager, rule_folder
from tests.rules.committed_rules import committed_groups
from tests.rules.prometheus_server import fetch

PATIENCE = 90.0
PAGE, TICKET = "SloErrorBudgetBurnFast", "SloErrorBudgetBurnSlow"
SERVICE = {"service_namespace": "titan-microservices-mesh", "service_name": "payments"}
PROMISE = SERVICE | {"slo": "titan-service-availability"}
LATENCY = "http_server_request_duration_seconds_bucket"
QUICK = {"OTEL_BSP_SCHEDULE_DELAY": "200", "OTEL_METRIC_EXPORT_INTERVAL": "500"}
STORY = {"storefront", "payments"}

Json = Mapping[str, Any]
T = TypeVar("T")


def eventually(look: Callable[[], T]) -> T:
    """What is seen as soon as there is something to see; at last, whatever is seen."""
    deadline = time.monotonic() + PATIENCE
    while not (seen := look()) and time.monotonic() < deadline:
        time.sleep(0.2)
    return seen


class Servers:
    """Everything that runs."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._folder = folder
        self._stack = stack
        self.told = stack.enter_context(Told())
        self._store = free_port()
        self.jaeger = self._jaeger()
        gateway = self._gateway()
        sidecars = {name: self._sidecar(name, gateway) for name in STORY}
        self.alertmanager = self._run(alertmanager(folder / "alertmanager", self.told.url))
        self.prometheus = self._prometheus(sidecars.values())
        ports = {name: free_port() for name in STORY}
        self.services = {name: self._service(name, ports, sidecars[name]) for name in STORY}

    def traces(self, path: str) -> Sequence[Json]:
        """What Jaeger answers."""
        try:
            return list(json.loads(fetch(f"{self.jaeger.url}/api/traces{path}"))["data"] or [])
        except OSError:  # "not found" is an error to it
            return []

    def alerts(self) -> Sequence[Json]:
        """What Alertmanager knows of the promise."""
        alerts = json.loads(fetch(f"{self.alertmanager.url}/api/v2/alerts"))
        return [alert for alert in alerts if PROMISE.items() <= alert["labels"].items()]

    def exemplars(self) -> Sequence[Json]:
        """What Prometheus has beside the buckets of requests."""
        now = time.time()
        found = self.prometheus.get("query_exemplars", query=LATENCY, start=now - 120, end=now)
        return [exemplar for series in found for exemplar in series["exemplars"]]

    def _run(self, server: Any) -> Any:
        return self._stack.enter_context(server).wait_until_ready()

    def _jaeger(self) -> Any:
        port = free_port()
        config = jaeger_config(query=port, otlp=self._store)
        folder = self._folder / "jaeger"
        return self._run(Backend(program=JAEGER, folder=folder, config=config, port=port))

    def _gateway(self) -> Any:
        """Keeps every trace, so that the test may pick any."""
        gateway = Collector(
            "gateway.yaml",
            self._folder / "gateway",
            TRACE_STORE=f"127.0.0.1:{self._store}",
            DECISION_WAIT="1s",
            SAMPLING_PERCENT=100,
        )
        return self._run(gateway)

    def _sidecar(self, name: str, gateway: Collector) -> Any:
        folder = self._folder / f"{name}-sidecar"
        return self._run(Collector("sidecar.yaml", folder, GATEWAY_PORT=gateway.ports["GATEWAY"]))

    def _prometheus(self, sidecars: Any) -> Any:
        rules = rule_folder(self._folder / "rules")
        config = yaml.safe_load(prometheus_config(rules, self.alertmanager.port, 0))
        targets = [f"127.0.0.1:{sidecar.ports['METRICS']}" for sidecar in sidecars]
        config["scrape_configs"][0]["static_configs"] = [{"targets": targets}]
        return self._run(Prometheus(self._folder / "prometheus", yaml.safe_dump(config)))

    def _service(self, name: str, ports: Mapping[str, int], sidecar: Collector) -> Service:
        environment = {
            **QUICK,
            "OTEL_EXPORTER_OTLP_ENDPOINT": sidecar.otlp,
            "PAYMENTS_URL": f"http://127.0.0.1:{ports['payments']}",
        }
        service = Service(name, ports[name], examples_folder(), environment)
        self._stack.enter_context(service).wait_until_ready(StopSignal())
        return service


@dataclass
class Play:
    """What was seen of it; nothing, where something never happened."""

    trace: Json | None
    lines: Mapping[str, Sequence[Json]]
    """By service, those with the id of the trace."""
    exemplar: Json | None
    its_trace: Sequence[Json]
    groups: Sequence[Json]
    """Of rules, as Prometheus has loaded them."""
    alerts: Sequence[Json]
    """Of the promise, in Alertmanager, while it was broken."""
    pages: Sequence[Json]
    tickets: Sequence[Json]
    resolved: bool
    still_firing: bool


@pytest.fixture(scope="module")
def play(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Play]:
    """Well, then broken, then mended."""
    with ExitStack() as stack:
        servers = Servers(tmp_path_factory.mktemp("play"), stack)
        stack.enter_context(Traffic(servers.services["storefront"].url))
        trace = eventually(lambda: _over_both(servers.traces("?service=payments&limit=200")))
        lines = {name: _lines(each, trace) for name, each in servers.services.items()}
        exemplar, its_trace = _exemplar(servers)
        groups = eventually(lambda: _evaluated(servers.prometheus))
        alerts = _break(servers)
        resolved = _mend(servers)
        yield Play(
            trace=trace,
            lines=lines,
            exemplar=exemplar,
            its_trace=its_trace,
            groups=groups,
            alerts=alerts,
            pages=_notes(servers, "/page"),
            tickets=_notes(servers, "/ticket"),
            resolved=resolved,
            still_firing=servers.prometheus.firing(PAGE),
        )


def _over_both(traces: Sequence[Json]) -> Json | None:
    return next((trace for trace in traces if _services_of(trace) == STORY), None)


def _services_of(trace: Json) -> set[str]:
    return {process["serviceName"] for process in trace["processes"].values()}


def _lines(service: Service, trace: Json | None) -> Sequence[Json]:
    if trace is None:
        return []
    return [json.loads(line) for line in service.lines() if trace["traceID"] in line]


def _exemplar(servers: Servers) -> tuple[Json | None, Sequence[Json]]:
    """An exemplar, and the trace that it leads to."""
    exemplars = eventually(servers.exemplars)
    if not exemplars:
        return None, []
    path = f"/{exemplars[0]['labels'].get('trace_id')}"
    return exemplars[0], eventually(lambda: servers.traces(path))


def _evaluated(prometheus: Prometheus) -> Sequence[Json]:
    groups: Sequence[Json] = prometheus.get("rules")["groups"]
    done = all(rule["health"] != "unknown" for group in groups for rule in group["rules"])
    return groups if done else []


def _break(servers: Servers) -> Sequence[Json]:
    """Have the card network fail until payments is paged for; what Alertmanager makes of it."""
    servers.services["payments"].put("/faults", {"error_ratio": 0.7})
    eventually(lambda: _names(servers.told.alerts("/page", "firing"), PROMISE) >= {PAGE})
    eventually(lambda: _inhibited(servers.alerts()))
    return servers.alerts()


def _inhibited(alerts: Sequence[Json]) -> set[str]:
    return {a["labels"]["alertname"] for a in alerts if a["status"]["inhibitedBy"]}


def _mend(servers: Servers) -> bool:
    """Whether somebody is told that it is over."""
    servers.services["payments"].put("/faults", {"error_ratio": 0.0})
    return eventually(lambda: PAGE in _names(servers.told.alerts("/page", "resolved"), PROMISE))


def _names(alerts: Sequence[Json], labels: Mapping[str, str]) -> set[str]:
    return {a["labels"]["alertname"] for a in alerts if labels.items() <= a["labels"].items()}


def _notes(servers: Servers, path: str) -> Sequence[Json]:
    return [body for at, body in servers.told.told if at == path]


class TestWell:
    def test_trace(self, play: Play) -> None:
        """An order is one trace over both services, in Jaeger."""
        assert play.trace is not None
        assert STORY == _services_of(play.trace)

    @pytest.mark.parametrize("service", sorted(STORY))
    def test_lines(self, play: Play, service: str) -> None:
        """Both services logged lines with the id of that trace."""
        assert play.trace is not None
        assert {play.trace["traceID"]} == {line["trace_id"] for line in play.lines[service]}

    def test_exemplar(self, play: Play) -> None:
        """An exemplar of a bucket in Prometheus leads to a trace in Jaeger."""
        assert play.exemplar is not None
        assert [play.exemplar["labels"]["trace_id"]] == [t["traceID"] for t in play.its_trace]

    def test_rules(self, play: Play) -> None:
        """Prometheus has loaded every rule, and evaluates each without error."""
        expected = sum(len(g["rules"]) for groups in committed_groups().values() for g in groups)
        health = [rule["health"] for group in play.groups for rule in group["rules"]]

        assert ["ok"] * expected == health


class TestBroken:
    def test_paged(self, play: Play) -> None:
        """A fault in the card network burns the budget, and whoever cares for payments is paged."""
        firing = [a for note in play.pages for a in note["alerts"] if a["status"] == "firing"]

        assert PAGE in _names(firing, PROMISE)

    def test_grouped(self, play: Play) -> None:
        """What a service is paged for comes together, and one service at a time."""
        about = [{a["labels"].get("service_name") for a in note["alerts"]} for note in play.pages]

        assert {1} == {len(services) for services in about}
        assert max(len(note["alerts"]) for note in play.pages) > 1

    def test_inhibited(self, play: Play) -> None:
        """The page keeps the ticket about the same promise back."""
        told = [alert for note in play.tickets for alert in note["alerts"]]

        assert TICKET in _inhibited(play.alerts)
        assert TICKET not in _names(told, PROMISE)


class TestMended:
    def test_resolved(self, play: Play) -> None:
        """Once the card network answers again, the page is taken back."""
        assert play.resolved
        assert not play.still_firing
