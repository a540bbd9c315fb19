"""The metrics that alerts about telemetry read, on real servers that are in trouble."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest
import yaml
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

from otel_meta.render.options import Options
from otel_meta.render.rules.telemetry import telemetry_alerts
from otel_meta.repos import BUILTIN
from otel_meta.testing.loopback import free_port
from tests.backends.alerting_servers import Prometheus, alertmanager
from tests.backends.collector_server import Collector
from tests.backends.otlp_clients import span
from tests.rules.pinned_tools import tool
from tests.rules.prometheus_server import fetch
from tests.waiting import wait_until

_NAME = re.compile(r"\b(?:otelcol|prometheus|alertmanager)_\w+")
_SAMPLE = re.compile(r"^(\w+)[{ ]", re.MULTILINE)
_SIGNAL = re.compile(r"_(log_records|metric_points)$")
_NOBODY = "127.0.0.1:1"


def names_read() -> set[str]:
    """Return the names of other programs' metrics in the alerts and in their runbook."""
    rows = telemetry_alerts(BUILTIN, Options())
    queries = [query for row in rows for query in (row.expr, *(each for _, each in row.queries))]
    return {name for query in queries for name in _NAME.findall(query)}


@pytest.fixture(scope="module")
def exposed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[set[str]]:
    """Return the names of the samples of all servers after their failures."""
    folder = tmp_path_factory.mktemp("telemetry")
    with ExitStack() as stack:
        yield set(_collectors(folder, stack)) | set(_monitoring(folder, stack))


def _collectors(folder: Path, stack: ExitStack) -> Iterator[str]:
    """Yield the names of a full and a small sidecar, and of a gateway without a trace store."""
    no_retry = {"retry_on_failure": {"enabled": False}, "timeout": "1s"}
    change = {
        "processors": {"tail_sampling": {"num_traces": 5}},
        "exporters": {"otlp_grpc/store": no_retry},
    }
    gateway = Collector(
        "gateway.yaml", folder / "gateway", change, TRACE_STORE=_NOBODY, DECISION_WAIT="1s"
    )
    nobody = free_port()
    full = Collector("sidecar.yaml", folder / "full", QUEUE_BYTES=300_000, GATEWAY_PORT=nobody)
    small = Collector(
        "sidecar.yaml", folder / "small", MEMORY_MIB=8, MEMORY_SPIKE_MIB=1, GATEWAY_PORT=nobody
    )
    sidecar = Collector("sidecar.yaml", folder / "sidecar", GATEWAY_PORT=gateway.ports["GATEWAY"])
    for server in (gateway, full, small, sidecar):
        stack.enter_context(server)
    for server in (gateway, full, small, sidecar):
        server.wait_until_ready()
    for server in (full, small, sidecar):
        _send_much(server.otlp)
    for server, name in (
        (full, "exporter_enqueue_failed_spans"),
        (small, "processor_memory_limiter_refused_spans"),
        (gateway, "processor_tail_sampling_sampling_trace_dropped_too_early"),
        (gateway, "exporter_send_failed_spans"),
        (sidecar, "exporter_sent_spans"),
    ):
        wait_until(partial(server.total, name), f"{name} is 0")
    for server in (gateway, full, small, sidecar):
        yield from _names(f"http://127.0.0.1:{_self_metrics_port(server)}")


def _self_metrics_port(server: Collector) -> int:
    return next(number for name, number in server.ports.items() if "SELF_METRICS" in name)


def _send_much(url: str) -> None:
    """Send 400 traces in parts; some are refused, which the exporter tries again in vain."""
    exporter = OTLPSpanExporter(f"{url}/v1/traces", timeout=1)
    for _ in range(8):
        exporter.export([span("x", {}, error="broken", text="y" * 2000) for _ in range(50)])
    exporter.shutdown()  # type: ignore[no-untyped-call]  # the SDK has no types here


def _monitoring(folder: Path, stack: ExitStack) -> Iterator[str]:
    """Yield the names of Prometheus with a group of rules, and of Alertmanager."""
    notified = stack.enter_context(alertmanager(folder / "alertmanager", f"http://{_NOBODY}"))
    rules = folder / "rules.yaml"
    group = {"name": "group", "rules": [{"alert": "Always", "expr": "vector(1)"}]}
    rules.write_text(yaml.safe_dump({"groups": [group]}))
    targets = [{"static_configs": [{"targets": [f"127.0.0.1:{notified.port}"]}]}]
    config = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(rules)],
        "alerting": {"alertmanagers": targets},
    }
    prometheus = Prometheus(folder / "prometheus", yaml.safe_dump(config))
    stack.enter_context(prometheus)
    notified.wait_until_ready()
    prometheus.wait_until_ready()
    sent = "prometheus_notifications_sent_total"
    wait_until(lambda: prometheus.self_metric(sent), "no notification was sent")
    yield from _names(prometheus.url)
    yield from _names(notified.url)


def _names(url: str) -> list[str]:
    return _SAMPLE.findall(fetch(f"{url}/metrics").decode())


@pytest.mark.parametrize("name", sorted(name for name in names_read() if not _SIGNAL.search(name)))
def test_metric_of_an_alert_exists_on_its_server(name: str, exposed: set[str]) -> None:
    """A metric that an alert about telemetry or its runbook reads exists on the real server."""
    wanted = re.compile(f"{name}.+" if name.endswith("_") else name)

    assert any(map(wanted.fullmatch, exposed))


def test_metrics_of_other_signals_exist_in_the_collector() -> None:
    """The Collector has the metrics of logs and metrics beside the metrics of spans."""
    program = tool("otelcol").read_bytes()
    others = {name for name in names_read() if _SIGNAL.search(name)}

    assert others
    assert set() == {name for name in others if name.encode() not in program}
