"""VictoriaMetrics with the series of two clusters, and two vmalerts with the same rules."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread

import yaml

from otel_meta.testing.loopback import LOOPBACK
from otel_meta.testing.servers import Backend, Program
from tests.backends.alerting_servers import Sample, alertmanager, write_fast_rules
from tests.backends.clusters.cluster_services import CLUSTERS, ClusterServices
from tests.backends.clusters.server_answers import active_alerts, parsed
from tests.backends.clusters.slo_history import SLO
from tests.backends.clusters.thanos_servers import keep_rules_of
from tests.backends.notification_receiver import NotificationReceiver
from tests.backends.query_engines import VICTORIA_METRICS
from tests.rules.prometheus_server import fetch
from tests.waiting import wait_until

RULERS = ("a", "b")
RULES = ("titan", "cross", "telemetry")
"""Prefixes of the rule files that vmalert evaluates."""
_INSTANT = "-search.latencyOffset=0s"
"""Queries see samples at once; in production, they arrive within 30 seconds."""
_ONE_OF_TWO = "-dedup.minScrapeInterval=1ms"
"""Of two samples with the same time, by two vmalerts, one is kept."""

VMALERT = Program(
    binary="vmalert",
    arguments=(
        f"-httpListenAddr={LOOPBACK}:{{port}}",
        "-evaluationInterval=1s",
        "-rule.evalDelay=1s",
        "-rule.resendDelay=1s",
        "-remoteWrite.flushInterval=100ms",
    ),
    ready="/health",
)


@dataclass
class Fleet:
    """Both clusters in one VictoriaMetrics, their rules, and what Alertmanager sent."""

    services: ClusterServices
    store: Backend
    rulers: Mapping[str, Backend]
    receiver: NotificationReceiver
    alertmanager: Backend

    def query(self, expr: str, at: float | None = None) -> list[Sample]:
        """Return the result of an instant query, by default at the present time."""
        moment = f"{time.time() if at is None else at}"
        url = f"{self.store.url}/api/v1/query"
        return parsed(fetch(url, query=expr, time=moment, nocache="1"))

    def active_alerts(self, name: str) -> list[Mapping[str, str]]:
        """Return the labels of the alerts of a name that Alertmanager has now."""
        return active_alerts(self.alertmanager, name)


@contextmanager
def fleet(folder: Path, *, one_slo: bool = False) -> Iterator[Fleet]:
    """Run both clusters; rules are sixty times as fast as in production.

    Args:
        folder: the folder of all servers.
        one_slo: evaluate the rules of one SLO alone.
    """
    with ExitStack() as stack:
        services = stack.enter_context(ClusterServices())
        receiver = stack.enter_context(NotificationReceiver())
        alerts = stack.enter_context(alertmanager(folder / "alertmanager", receiver.url))
        alerts.wait_until_ready()
        store = stack.enter_context(_store(folder / "store", services.port)).wait_until_ready()
        stack.enter_context(_flushed(store))
        rules = Path(write_fast_rules(folder / "rules", RULES))
        if one_slo:
            keep_rules_of(SLO, rules)
        rulers = {
            name: stack.enter_context(_vmalert(folder / name, rules, store, alerts))
            for name in RULERS
        }
        for ruler in rulers.values():
            ruler.wait_until_ready()
        running = Fleet(services, store, rulers, receiver, alerts)
        wait_until(lambda: len(running.query("otel_meta_up")) == len(CLUSTERS), "no scrapes")
        services.begin()
        yield running


def _store(folder: Path, port: int) -> Backend:
    """Return a VictoriaMetrics that scrapes both clusters, and gives each its label."""
    jobs = [
        {
            "job_name": cluster,
            "metrics_path": f"/{cluster}",
            "static_configs": [{"targets": [f"{LOOPBACK}:{port}"], "labels": {"cluster": cluster}}],
        }
        for cluster in CLUSTERS
    ]
    config = yaml.safe_dump({"global": {"scrape_interval": "1s"}, "scrape_configs": jobs})
    more = ("-promscrape.config={config}", _INSTANT, _ONE_OF_TWO)
    return Backend(program=VICTORIA_METRICS, folder=folder, config=config, port=0, more=more)


@contextmanager
def _flushed(store: Backend) -> Iterator[None]:
    """Make written samples visible to queries all the time.

    VictoriaMetrics does so every few seconds, which are a few minutes of the rules' time.
    """
    ended = Event()

    def flush() -> None:
        while not ended.wait(0.2):
            fetch(f"{store.url}/internal/force_flush")

    thread = Thread(target=flush)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _vmalert(folder: Path, rules: Path, store: Backend, alerts: Backend) -> Backend:
    more = (
        f"-rule={rules}/*.yml",
        f"-datasource.url={store.url}",
        f"-remoteWrite.url={store.url}",
        f"-remoteRead.url={store.url}",
        f"-notifier.url={alerts.url}",
    )
    return Backend(program=VMALERT, folder=folder, config="", port=0, more=more)
