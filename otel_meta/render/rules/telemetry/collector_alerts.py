"""Alerts about Collectors: queues, failed and refused exports, undecided traces."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from otel_meta.model import Duration
from otel_meta.render.options import Options
from otel_meta.render.rules.promql_builder import sum_by

from .telemetry_alert import RECENT, TelemetryAlert, recent_events, recent_events_of

_SIGNALS: Final = ("spans", "log_records", "metric_points")
_COLLECTOR: Final = "Collector {{ $labels.instance }}"
_HALF: Final = 0.5
_LEVEL: Final = "otelcol_exporter_queue_size / otelcol_exporter_queue_capacity"
_EARLY: Final = "otelcol_processor_tail_sampling_sampling_trace_dropped_too_early"


def collector_alerts(options: Options) -> Iterator[TelemetryAlert]:
    """Yield the alerts about Collectors, all of them tickets: no request of a user fails."""
    target = ("job", "instance", *options.identity.places)
    yield _queue_filling(target)
    yield _loses_data(target, options)
    yield _refuses_data(target, options)
    yield _sampling_overload(target, options)


def _queue_filling(target: tuple[str, ...]) -> TelemetryAlert:
    level = sum_by((*target, "exporter", "data_type"), _LEVEL, "max")
    return TelemetryAlert(
        name="CollectorQueueFilling",
        severity="ticket",
        expr=f"{level} > {_HALF}",
        reads=("otelcol_exporter_queue_size", "otelcol_exporter_queue_capacity"),
        for_=Duration("5m"),
        summary=f"{_COLLECTOR} cannot send {{{{ $labels.data_type }}}} as fast as they arrive: the "
        "queue of {{ $labels.exporter }} is filling",
        description="{{ $value | humanizePercentage }} of the queue is used. A full queue refuses "
        "data, and then data is lost.",
        meaning="A queue on disk is more than half full. Usually the next server is away or slow. "
        "Nothing is lost yet, so the alert is a ticket.",
        queries=(
            ("Find the level of each queue:", f"sort_desc({_LEVEL})"),
            (
                "Find what the exporters send (a missing series sends nothing):",
                "rate(otelcol_exporter_sent_spans[5m])",
            ),
        ),
        actions="Restore the gateway or the trace store behind the exporter. The queue empties by "
        "itself. If the traffic has grown, add gateways.",
    )


def _loses_data(target: tuple[str, ...], options: Options) -> TelemetryAlert:
    failed = {f"otelcol_exporter_send_failed_{signal}": signal for signal in _SIGNALS}
    refused = {f"otelcol_exporter_enqueue_failed_{signal}": signal for signal in _SIGNALS}
    lost = recent_events_of(failed | refused, "signal", (*target, "exporter"), options)
    return TelemetryAlert(
        name="CollectorLosesData",
        severity="ticket",
        expr=f"{lost} > 0",
        reads=("otelcol_exporter_send_failed_spans", "otelcol_exporter_enqueue_failed_spans"),
        for_=Duration("5m"),
        summary=f"{_COLLECTOR} loses {{{{ $labels.signal }}}} at {{{{ $labels.exporter }}}}",
        description=f'In {RECENT}, {{{{ printf "%.0f" $value }}}} {{{{ $labels.signal }}}} were '
        "refused by the next server for good, or by the full queue of the exporter.",
        meaning="An exporter gives up (*send_failed*: the next server refuses the data for good), "
        "or its queue is full (*enqueue_failed*). Traces or logs are lost; the numbers of SLOs are "
        "not concerned, so the alert is a ticket.",
        queries=(
            (
                "Find the exports that failed for good:",
                '{__name__=~"otelcol_exporter_send_failed_.+"} > 0',
            ),
            (
                "Find the full queues:",
                '{__name__=~"otelcol_exporter_enqueue_failed_.+"} > 0',
            ),
        ),
        actions="Read the log of the Collector: it has the answer of the next server. A full queue "
        "is the work of *CollectorQueueFilling*.",
    )


def _refuses_data(target: tuple[str, ...], options: Options) -> TelemetryAlert:
    refused = {f"otelcol_receiver_refused_{signal}": signal for signal in _SIGNALS}
    lost = recent_events_of(refused, "signal", (*target, "receiver"), options)
    return TelemetryAlert(
        name="CollectorRefusesData",
        severity="ticket",
        expr=f"{lost} > 0",
        reads=("otelcol_receiver_refused_spans",),
        for_=Duration("5m"),
        summary=f"{_COLLECTOR} refuses {{{{ $labels.signal }}}}",
        description=f'In {RECENT}, {{{{ printf "%.0f" $value }}}} {{{{ $labels.signal }}}} were '
        "refused: the queue is full, or the memory limit is reached. Senders try again, and drop "
        "data in the end.",
        meaning="A Collector refuses what services send: a queue is full, or the memory limit is "
        "reached. Services try again for a while, so the alert is a ticket.",
        queries=(
            (
                "Find the Collectors at their memory limit:",
                "rate(otelcol_processor_memory_limiter_refused_spans[5m]) > 0",
            ),
            ("Find the level of each queue:", f"sort_desc({_LEVEL})"),
        ),
        actions="At the memory limit, raise `OTEL_META_MEMORY_MIB` (sidecar) or "
        "`OTEL_META_GATEWAY_MEMORY_MIB`, with the limit of the container. With a full queue, mend "
        "the server behind it.",
    )


def _sampling_overload(target: tuple[str, ...], options: Options) -> TelemetryAlert:
    return TelemetryAlert(
        name="SamplingDropsTraces",
        severity="ticket",
        expr=f"{sum_by(target, recent_events(_EARLY, options))} > 0",
        reads=(_EARLY,),
        for_=Duration("5m"),
        summary=f"Gateway {_COLLECTOR} drops traces before it decides about them",
        description=f'In {RECENT}, {{{{ printf "%.0f" $value }}}} traces were dropped undecided, '
        "traces of errors among them.",
        meaning="More traces arrive within the decision wait than the gateway can hold. It drops "
        "the oldest, whatever they contain. Only traces are lost, so the alert is a ticket.",
        queries=(
            (
                "Find the new traces a second of each gateway:",
                "rate(otelcol_processor_tail_sampling_new_trace_id_received[5m])",
            ),
            (
                "Find the traces that wait for a decision:",
                "otelcol_processor_tail_sampling_sampling_traces_on_memory",
            ),
        ),
        actions="Add gateways, raise `OTEL_META_UNDECIDED_TRACES` with the memory of the "
        "gateway, or shorten `OTEL_META_DECISION_WAIT`.",
    )
