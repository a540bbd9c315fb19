"""Two clusters with two Prometheus replicas each, Thanos' sidecars, querier and ruler."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode

import yaml

from otel_meta.testing.loopback import LOOPBACK, free_port
from otel_meta.testing.servers import Backend, Program
from tests.backends.alerting_servers import Prometheus, Sample, alertmanager, write_fast_rules
from tests.backends.clusters.cluster_services import CLUSTERS, ClusterServices
from tests.backends.clusters.server_answers import active_alerts, parsed
from tests.backends.clusters.slo_history import SLO, backfill_history
from tests.backends.notification_receiver import NotificationReceiver
from tests.rules.prometheus_server import fetch
from tests.waiting import wait_until
from tests.yaml_files import read_yaml

REPLICAS = ("a", "b")
YOUNGER, OLDER = RULERS = ("a", "b")
"""Rulers; the older one has a history of SLOs."""
RULES = ("titan", "cross", "telemetry")
"""Prefixes of the rule files that the clusters evaluate."""


def _program(command: str, *arguments: str) -> Program:
    """Return a component of Thanos; the port is that of its HTTP server."""
    return Program(
        binary="thanos",
        arguments=(command, f"--http-address={LOOPBACK}:{{port}}", *arguments),
        ready="/-/ready",
    )


SIDECAR = _program("sidecar")
QUERY = _program("query", "--query.replica-label=replica", "--query.replica-label=ruler")
RULE = _program("rule", "--data-dir={data}", "--eval-interval=1s", "--resend-delay=5s")
"""Alertmanager resolves an alert after four such delays. The querier takes up to nine seconds to
drop a dead store, which are no nine minutes in production."""


@dataclass
class Querier:
    """Thanos' querier over all replicas of both clusters, and over the ruler if there is one."""

    server: Backend

    def query(
        self, expr: str, *, deduplicated: bool = True, at: float | None = None
    ) -> list[Sample]:
        """Return the result of an instant query, by default at the present time.

        Raises:
            AssertionError: Thanos returns an error; the message has its text.
        """
        parameters = {
            "query": expr,
            "dedup": json.dumps(deduplicated),
            "partial_response": "false",
            "time": time.time() if at is None else at,
        }
        try:
            answer = fetch(f"{self.server.url}/api/v1/query?{urlencode(parameters)}")
        except HTTPError as error:
            raise AssertionError(f"{expr}\n{error.read().decode()}") from error
        return parsed(answer)

    def by_cluster(self, expr: str) -> Mapping[str, list[float]]:
        """Return the values of the result, by cluster."""
        values: dict[str, list[float]] = {}
        for sample in self.query(expr):
            values.setdefault(sample.labels.get("cluster", ""), []).append(sample.value)
        return values


@dataclass
class Fleet:
    """Both clusters, their global view, and what Alertmanager sent."""

    services: ClusterServices
    replicas: Mapping[tuple[str, str], Prometheus]
    """Prometheus servers by cluster and replica."""
    sidecars: list[Backend]
    rulers: Mapping[str, Backend]
    """Thanos' rulers by replica; none if the rules run in Prometheus."""
    querier: Querier
    receiver: NotificationReceiver
    alertmanager: Backend

    def servers(self) -> Mapping[str, list[Backend]]:
        """Return the servers of each kind."""
        kinds: dict[str, list[Backend]] = {
            "Prometheus": [*self.replicas.values()],
            "sidecar": self.sidecars,
            "querier": [self.querier.server],
            "ruler": [*self.rulers.values()],
        }
        return {kind: some for kind, some in kinds.items() if some}

    def is_scraped(self) -> bool:
        """True if each Prometheus has scraped its service."""
        return all(replica.query("otel_meta_up") for replica in self.replicas.values())

    def active_alerts(self, name: str) -> list[Mapping[str, str]]:
        """Return the labels of the alerts of a name that Alertmanager has now."""
        return active_alerts(self.alertmanager, name)


@contextmanager
def fleet(folder: Path, *, central_rules: bool = False, one_slo: bool = False) -> Iterator[Fleet]:
    """Run both clusters; rules run in each Prometheus, or in two rulers of Thanos.

    Rules are sixty times as fast as in production, and each second is scraped. One ruler has
    a history of SLOs, the other has none.

    Args:
        folder: the folder of all servers.
        central_rules: run the rules in Thanos' rulers.
        one_slo: evaluate the rules of one SLO alone; rulers never evaluate more.
    """
    with ExitStack() as stack:
        services = stack.enter_context(ClusterServices())
        receiver = stack.enter_context(NotificationReceiver())
        alerts = stack.enter_context(alertmanager(folder / "alertmanager", receiver.url))
        alerts.wait_until_ready()
        rules = Path(write_fast_rules(folder / "rules", RULES))
        if central_rules or one_slo:
            keep_rules_of(SLO, rules)
        config = _prometheus_config(services.port, alerts, None if central_rules else rules)
        replicas: dict[tuple[str, str], Prometheus] = {}
        sidecars: dict[str, Backend] = {}
        for cluster in CLUSTERS:
            for replica in REPLICAS:
                home = folder / f"{cluster}-{replica}"
                prometheus = stack.enter_context(Prometheus(home, config(cluster, replica)))
                replicas[cluster, replica] = prometheus
                sidecars |= _sidecar(stack, home, prometheus)
        # Known before: rulers and querier read each other.
        addresses = {name: f"{LOOPBACK}:{free_port()}" for name in RULERS if central_rules}
        querier = _querier(stack, folder, [*sidecars, *addresses.values()])
        backfill_history(folder / f"ruler-{OLDER}")
        rulers = {
            name: _ruler(stack, folder / f"ruler-{name}", grpc, name, (rules, querier, alerts))
            for name, grpc in addresses.items()
        }
        _wait_for_stores(querier)
        running = Fleet(
            services, replicas, [*sidecars.values()], rulers, Querier(querier), receiver, alerts
        )
        wait_until(running.is_scraped, "not every replica has scraped its service")
        services.begin()
        yield running


def keep_rules_of(slo: str, folder: Path) -> None:
    """Remove the rules of other SLOs from rule files.

    A second has as many evaluations as a minute in production, which is too much for a ruler that
    asks over the network, on a machine that runs everything.
    """
    for path in folder.glob("*.yml"):
        groups = read_yaml(path.read_text())["groups"]
        kept = [group for group in groups if group["name"].startswith((slo, "slo-", "watchdog"))]
        path.write_text(yaml.safe_dump({"groups": kept}))


def _prometheus_config(port: int, alerts: Backend, rules: Path | None) -> Any:
    def config(cluster: str, replica: str) -> str:
        targets = [{"targets": [f"{LOOPBACK}:{port}"]}]
        job = {"job_name": "services", "metrics_path": f"/{cluster}", "static_configs": targets}
        document = {
            "global": {
                "scrape_interval": "1s",
                "evaluation_interval": "1s",
                "external_labels": {"cluster": cluster, "replica": replica},
            },
            "rule_files": [f"{rules}/*.yml"] if rules else [],
            "alerting": {
                "alert_relabel_configs": [{"action": "labeldrop", "regex": "replica"}],
                "alertmanagers": [{"static_configs": [{"targets": [f"{LOOPBACK}:{alerts.port}"]}]}],
            },
            "scrape_configs": [job],
        }
        return yaml.safe_dump(document)

    return config


def _sidecar(stack: ExitStack, home: Path, prometheus: Prometheus) -> dict[str, Backend]:
    """Start a sidecar, and return it by its gRPC address."""
    prometheus.wait_until_ready()
    grpc = f"{LOOPBACK}:{free_port()}"
    data = f"--tsdb.path={home / 'data'}"
    url = f"--prometheus.url={prometheus.url}"
    return {grpc: _component(stack, SIDECAR, home / "sidecar", grpc, url, data)}


def _querier(stack: ExitStack, folder: Path, endpoints: list[str]) -> Backend:
    more = [f"--endpoint={endpoint}" for endpoint in endpoints]
    return _component(stack, QUERY, folder / "querier", f"{LOOPBACK}:{free_port()}", *more)


def _wait_for_stores(querier: Backend) -> None:
    """Wait until the querier has found every endpoint, and each of them answers."""

    def are_found() -> bool:
        kinds = json.loads(fetch(f"{querier.url}/api/v1/stores"))["data"].values()
        found = [store for stores in kinds for store in stores]
        wanted = sum(argument.startswith("--endpoint=") for argument in querier.more)
        return len(found) == wanted and all(store["lastError"] is None for store in found)

    wait_until(are_found, "the querier does not find all stores")


def _ruler(
    stack: ExitStack,
    folder: Path,
    grpc: str,
    name: str,
    reads: tuple[Path, Backend, Backend],
) -> Backend:
    """Start a ruler with a label of its own, which notifications lack."""
    rules, querier, alerts = reads
    return _component(
        stack,
        RULE,
        folder,
        grpc,
        f"--rule-file={rules}/*.yml",
        f"--query={querier.url}",
        f"--alertmanagers.url={alerts.url}",
        f'--label=ruler="{name}"',
        "--alert.label-drop=ruler",
    )


def _component(
    stack: ExitStack, program: Program, folder: Path, grpc: str, *arguments: str
) -> Backend:
    """Start a component of Thanos with the address of its gRPC server."""
    more = (f"--grpc-address={grpc}", *arguments)
    server = Backend(program=program, folder=folder, config="", port=0, more=more)
    return stack.enter_context(server).wait_until_ready()
