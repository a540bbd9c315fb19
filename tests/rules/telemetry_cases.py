"""Cases of the alerts about telemetry: each fires in one, and stays silent in others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

from otel_meta.repos import Titan
from tests.rules.committed_rules import Groups, committed_groups
from tests.rules.promtool import Case, QueryTest, firing_alert, firing_query
from tests.rules.raw_series import identity, label_text

_TARGET: Final = {"job": "collectors", "instance": "payments:8888"}
_PAYMENTS: Final = identity(Titan, "payments")
_OWNER: Final = {"meta_repository": Titan.name, "team": Titan.owner, "severity": "page"}
_GROUP: Final = "/etc/rules/titan.alerting.yml;titan-service-availability-alerts"
_MEASURES: Final = "/etc/rules/titan.recording.yml;titan-microservices-mesh-measures"


def _rules() -> Groups:
    return committed_groups()["telemetry.alerting"]


def _up(values: str, service: str = "payments", **more: str) -> dict[str, str]:
    return {"otel_meta_up" + label_text(identity(Titan, service) | more): values}


def _case(
    name: str, series: Mapping[str, str], *queries: tuple[int, dict[str, str] | None]
) -> Case:
    """Return a case that expects an alert with labels, or none, at each minute."""
    return Case(
        _rules(),
        series,
        [
            QueryTest(
                at, firing_query(name), {} if labels is None else firing_alert(name, **labels)
            )
            for at, labels in queries
        ],
    )


_DOWN: Final = _PAYMENTS | _OWNER


def service_dies() -> Case:
    """All processes are gone at minute 120: fires six minutes later, and is quiet after 6 h."""
    series = _up("1x119 stale", pod="a") | _up("1x119 stale", pod="b")
    late = 120 + 5 * 60 + 20
    return _case("ServiceDown", series, (124, None), (125, _DOWN), (late, _DOWN), (late + 20, None))


def service_returns() -> Case:
    """A process reports again: the alert ends."""
    series = _up("1x119 _x30 1x60")
    return _case("ServiceDown", series, (140, _DOWN), (151, None), (200, None))


def service_restarts() -> Case:
    """A restart of four minutes, and a process of two that dies, do not fire."""
    series = _up("1x119 _x3 stale 1x60") | _up("1x119 stale", "checkout", pod="a")
    series |= _up("1x180", "checkout", pod="b")
    return _case("ServiceDown", series, *((t, None) for t in range(110, 180, 2)))


def new_service_ends() -> Case:
    """A service that reported for less than half an hour does not fire."""
    return _case("ServiceDown", _up("_x100 1x27 stale"), *((t, None) for t in range(100, 240, 5)))


def empty_server() -> Case:
    """A Prometheus without any series does not fire."""
    return _case("ServiceDown", {}, *((t, None) for t in range(0, 60, 5)))


def other_environment_dies() -> Case:
    """Staging is gone and production reports: fires for staging alone."""
    place = "deployment_environment_name"
    series = _up("1x240", **{place: "production"}) | _up("1x119 stale", **{place: "staging"})
    return _case("ServiceDown", series, (130, _DOWN | {place: "staging"}))


def _services(values: str, count: int) -> dict[str, str]:
    return {k: v for n in range(count) for k, v in _up(values, f"service-{n}").items()}


def most_services_gone() -> Case:
    """Three of five services are gone: fires."""
    series = _services("1x119 stale", 3) | _up("1x240", "a") | _up("1x240", "b")
    return _case("TelemetryLost", series, (122, None), (123, {"severity": "page"}))


def few_services_gone() -> Case:
    """Two of two services, and two of four, do not fire."""
    queries = [(t, None) for t in range(110, 200, 5)]
    return _case("TelemetryLost", _services("1x119 stale", 2), *queries)


def half_of_services_gone() -> Case:
    """Three of six services do not fire."""
    living = {k: v for n in range(3) for k, v in _up("1x240", f"living-{n}").items()}
    queries = [(t, None) for t in range(110, 200, 5)]
    return _case("TelemetryLost", _services("1x119 stale", 3) | living, *queries)


@dataclass(frozen=True)
class Row:
    """Series with which an alert fires and does not fire."""

    fires: Mapping[str, str]
    at: int
    """The minute from which it fires."""
    labels: Mapping[str, str]
    silent: Mapping[str, str]
    severity: str = "ticket"
    settled: int = 0
    """The minute from which it stays silent: what was counted before is new to a new server."""


def _of(name: str, values: str, **labels: str) -> dict[str, str]:
    return {name + label_text(labels): values}


def _collector(name: str, values: str, **labels: str) -> dict[str, str]:
    return _of(f"otelcol_{name}", values, **_TARGET, **labels)


_EXPORTER: Final = {"exporter": "load_balancing"}
_QUEUE: Final = _EXPORTER | {"data_type": "traces"}
_FAULT: Final = _PAYMENTS | {"source": "export of traces", "reason": "refused"}
_PROMETHEUS: Final = {"job": "monitoring", "instance": "prometheus:9090"}
_ALERTMANAGER: Final = {"alertmanager": "http://alertmanager:9093/api/v2/alerts"}
_CAPACITY: Final = _collector("exporter_queue_capacity", "1000x90", **_QUEUE)

ROWS: Final[Mapping[str, Row]] = {
    "TelemetryFaults": Row(
        # Born with its first fault at minute 20, and counting.
        fires=_of("otel_meta_faults_total", "_x20 1+1x60", **_FAULT),
        at=35,
        labels=_FAULT,
        silent=_of("otel_meta_faults_total", "_x20 1x60", **_FAULT)
        | _of("otel_meta_faults_total", "0+9x90", **_PAYMENTS, source="log", reason="repeated"),
    ),
    "SeriesLimitReached": Row(
        fires=_of("otel_meta_series", "999x19 1000x60", **_PAYMENTS, metric="orders")
        | _of("otel_meta_series_limit", "1000x90", **_PAYMENTS, metric="orders"),
        at=35,
        labels=_PAYMENTS | {"metric": "orders"},
        silent=_of("otel_meta_series", "999x90", **_PAYMENTS, metric="orders")
        | _of("otel_meta_series_limit", "1000x90", **_PAYMENTS, metric="orders"),
    ),
    "WorkersMissing": Row(
        fires=_of("otel_meta_workers_missing", "0x19 1x60", **_PAYMENTS, reason="damaged"),
        at=35,
        labels=_PAYMENTS | {"reason": "damaged"},
        silent=_of("otel_meta_workers_missing", "0x90", **_PAYMENTS, reason="damaged"),
    ),
    "CollectorQueueFilling": Row(
        fires=_collector("exporter_queue_size", "500x19 501x60", **_QUEUE) | _CAPACITY,
        at=25,
        labels=_TARGET | _QUEUE,
        silent=_collector("exporter_queue_size", "500x90", **_QUEUE) | _CAPACITY,
    ),
    "CollectorLosesData": Row(
        # Born with its first failure, which an increase does not show.
        fires=_collector("exporter_enqueue_failed_spans", "_x20 7x60", **_EXPORTER),
        at=25,
        labels=_TARGET | _EXPORTER | {"signal": "spans"},
        silent=_collector("exporter_send_failed_spans", "7x90", **_EXPORTER),
        settled=15,
    ),
    "CollectorRefusesData": Row(
        fires=_collector("receiver_refused_log_records", "0x20 1+1x60", receiver="otlp"),
        at=26,
        labels=_TARGET | {"receiver": "otlp", "signal": "log_records"},
        silent=_collector("receiver_refused_log_records", "0x90", receiver="otlp"),
    ),
    "SamplingDropsTraces": Row(
        fires=_collector("processor_tail_sampling_sampling_trace_dropped_too_early", "0x20 5+5x60"),
        at=26,
        labels=_TARGET,
        silent=_collector("processor_tail_sampling_sampling_trace_dropped_too_early", "0x90"),
    ),
    "RuleEvaluationFails": Row(
        fires=_of(
            "prometheus_rule_evaluation_failures_total",
            "0x20 1+1x60",
            **_PROMETHEUS,
            rule_group=_GROUP,
        ),
        at=26,
        labels=_PROMETHEUS | {"rule_group": _GROUP},
        silent=_of(
            "prometheus_rule_evaluation_failures_total",
            "0+1x90",
            **_PROMETHEUS,
            rule_group=_MEASURES,
        )
        | _of(
            "prometheus_rule_evaluation_failures_total",
            "0x20 1x60",
            **_PROMETHEUS,
            rule_group="/etc/rules/other.yml;not-ours",
        ),
        severity="page",
    ),
    "RuleEvaluationsMissed": Row(
        fires=_of(
            "prometheus_rule_group_iterations_missed_total",
            "0x20 1+1x60",
            **_PROMETHEUS,
            rule_group=_GROUP,
        ),
        at=36,
        labels=_PROMETHEUS | {"rule_group": _GROUP},
        silent=_of(
            "prometheus_rule_group_iterations_missed_total",
            "3x20 4x70",
            **_PROMETHEUS,
            rule_group=_GROUP,
        ),
    ),
    "NotificationsDropped": Row(
        fires=_of(
            "prometheus_notifications_dropped_total", "0x20 1x60", **_PROMETHEUS, **_ALERTMANAGER
        ),
        at=26,
        labels=_PROMETHEUS | _ALERTMANAGER,
        silent=_of("prometheus_notifications_dropped_total", "0x90", **_PROMETHEUS, **_ALERTMANAGER)
        | _of("prometheus_notifications_queue_length", "500x90", **_PROMETHEUS, **_ALERTMANAGER)
        | _of("prometheus_notifications_queue_capacity", "10000x90", **_PROMETHEUS)
        | _of("prometheus_notifications_alertmanagers_discovered", "1x90", **_PROMETHEUS),
    ),
    "NotificationsFail": Row(
        fires=_of(
            "alertmanager_notifications_failed_total",
            "0x20 1x60",
            job="monitoring",
            instance="alertmanager:9093",
            integration="webhook",
            reason="other",
        ),
        at=26,
        labels={"job": "monitoring", "instance": "alertmanager:9093", "integration": "webhook"},
        silent=_of(
            "alertmanager_notifications_failed_total",
            "1x90",
            job="monitoring",
            instance="alertmanager:9093",
            integration="webhook",
            reason="other",
        ),
    ),
    "ScrapeFails": Row(
        fires=_of("up", "1x19 0x60", **_TARGET) | _collector("process_uptime", "1x19 stale"),
        at=30,
        labels=_TARGET,
        silent=_of("up", "1x90", **_TARGET)
        | _collector("process_uptime", "1x90")
        | _of("up", "0x90", job="of-others", instance="database:9187"),
    ),
}
NAMES: Final = {*ROWS, "ServiceDown", "TelemetryLost"}


def _fires(name: str) -> Case:
    row = ROWS[name]
    labels = {**row.labels, "severity": row.severity}
    return _case(name, row.fires, (row.at - 1, None), (row.at, labels))


def _silent(name: str) -> Case:
    return _case(name, ROWS[name].silent, *((t, None) for t in range(ROWS[name].settled, 90, 5)))


def no_alertmanager() -> Case:
    """Without any Alertmanager, notifications are dropped before they are counted."""
    series = _of("prometheus_notifications_alertmanagers_discovered", "1x19 0x60", **_PROMETHEUS)
    return _case(
        "NotificationsDropped", series, (24, None), (25, _PROMETHEUS | {"severity": "ticket"})
    )


def full_queue() -> Case:
    """A queue of notifications that is more than half full fires."""
    series = _of(
        "prometheus_notifications_queue_length", "0x19 5001x60", **_PROMETHEUS, **_ALERTMANAGER
    ) | _of("prometheus_notifications_queue_capacity", "10000x90", **_PROMETHEUS)
    labels = _PROMETHEUS | _ALERTMANAGER | {"severity": "ticket"}
    return _case("NotificationsDropped", series, (24, None), (25, labels))


def _cases() -> Iterator[tuple[str, Callable[[], Case]]]:
    for make in (
        service_dies,
        service_returns,
        service_restarts,
        new_service_ends,
        empty_server,
        other_environment_dies,
        most_services_gone,
        few_services_gone,
        half_of_services_gone,
        no_alertmanager,
        full_queue,
    ):
        yield make.__name__, make
    for name in ROWS:
        yield f"{name}/fires", partial(_fires, name)
        yield f"{name}/silent", partial(_silent, name)


CASES: Final[Mapping[str, Callable[[], Case]]] = dict(_cases())
