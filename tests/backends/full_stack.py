"""Storefront and payments with all servers: sidecars, gateway, Jaeger, Prometheus, Alertmanager."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TypeVar

import yaml

from otel_meta.cli.demo.services import Service, examples_folder
from otel_meta.cli.demo.stack_config import jaeger_config, prometheus_config
from otel_meta.cli.demo.stop_signal import StopSignal
from otel_meta.testing.loopback import free_port
from otel_meta.testing.servers import JAEGER, Backend
from tests.backends.alerting_servers import Prometheus, alertmanager, write_fast_rules
from tests.backends.collector_server import Collector
from tests.backends.notification_receiver import NotificationReceiver
from tests.rules.prometheus_server import fetch
from tests.yaml_files import read_yaml

SERVICES = frozenset({"storefront", "payments"})
_LATENCY = "http_server_request_duration_seconds_bucket"
_FAST_EXPORT = {"OTEL_BSP_SCHEDULE_DELAY": "200", "OTEL_METRIC_EXPORT_INTERVAL": "500"}

Json = Mapping[str, Any]
AnyBackend = TypeVar("AnyBackend", bound=Backend)


class FullStack:
    """All servers and both services, each ready.

    Args:
        folder: the files of all servers.
        stack: its end stops everything.
    """

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._folder = folder
        self._stack = stack
        self.receiver = stack.enter_context(NotificationReceiver())
        trace_store_port = free_port()
        self.jaeger = self._start(self._jaeger(trace_store_port))
        gateway = self._start(self._gateway(trace_store_port))
        sidecars = {name: self._start(self._sidecar(name, gateway)) for name in SERVICES}
        self.alertmanager = self._start(alertmanager(folder / "alertmanager", self.receiver.url))
        self.prometheus = self._start(self._prometheus(sidecars.values()))
        for server in (self.jaeger, gateway, *sidecars.values(), self.alertmanager):
            server.wait_until_ready()
        self.prometheus.wait_until_ready()
        ports = {name: free_port() for name in SERVICES}
        self.services = {name: self._service(name, ports, sidecars[name]) for name in SERVICES}
        for service in self.services.values():
            service.wait_until_ready(StopSignal())

    def traces(self, path: str) -> Sequence[Json]:
        """Return the traces from Jaeger's API; none if Jaeger does not find any."""
        try:
            return list(json.loads(fetch(f"{self.jaeger.url}/api/traces{path}"))["data"] or [])
        except OSError:  # Jaeger responds with an error to an unknown id
            return []

    def alerts(self, labels: Mapping[str, str]) -> Sequence[Json]:
        """Return the alerts with these labels from Alertmanager's API."""
        alerts = json.loads(fetch(f"{self.alertmanager.url}/api/v2/alerts"))
        return [alert for alert in alerts if labels.items() <= alert["labels"].items()]

    def exemplars(self) -> Sequence[Json]:
        """Return the exemplars of request latency from Prometheus' API."""
        now = time.time()
        found = self.prometheus.get("query_exemplars", query=_LATENCY, start=now - 120, end=now)
        return [exemplar for series in found for exemplar in series["exemplars"]]

    def _start(self, server: AnyBackend) -> AnyBackend:
        self._stack.enter_context(server)
        return server

    def _jaeger(self, otlp_port: int) -> Backend:
        port = free_port()
        config = jaeger_config(query=port, otlp=otlp_port)
        folder = self._folder / "jaeger"
        return Backend(program=JAEGER, folder=folder, config=config, port=port)

    def _gateway(self, trace_store_port: int) -> Collector:
        """Return a gateway that keeps every trace for the lookups of the test."""
        return Collector(
            "gateway.yaml",
            self._folder / "gateway",
            TRACE_STORE=f"127.0.0.1:{trace_store_port}",
            DECISION_WAIT="1s",
            SAMPLING_PERCENT=100,
        )

    def _sidecar(self, name: str, gateway: Collector) -> Collector:
        folder = self._folder / f"{name}-sidecar"
        return Collector("sidecar.yaml", folder, GATEWAY_PORT=gateway.ports["GATEWAY"])

    def _prometheus(self, sidecars: Iterable[Collector]) -> Prometheus:
        rules = write_fast_rules(self._folder / "rules")
        config = read_yaml(prometheus_config(rules, self.alertmanager.port, 0))
        targets = [f"127.0.0.1:{sidecar.ports['METRICS']}" for sidecar in sidecars]
        config["scrape_configs"][0]["static_configs"] = [{"targets": targets}]
        return Prometheus(self._folder / "prometheus", yaml.safe_dump(config))

    def _service(self, name: str, ports: Mapping[str, int], sidecar: Collector) -> Service:
        environment = {
            **_FAST_EXPORT,
            "OTEL_EXPORTER_OTLP_ENDPOINT": sidecar.otlp,
            "PAYMENTS_URL": f"http://127.0.0.1:{ports['payments']}",
        }
        log = self._folder / f"{name}.log"
        service = Service(name, ports[name], examples_folder(), environment, log=log)
        return self._stack.enter_context(service)
