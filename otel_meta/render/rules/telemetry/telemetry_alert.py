"""An alert about the path of telemetry as a value: one row of a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from otel_meta.model import Duration, Severity
from otel_meta.render.options import Options
from otel_meta.render.rules.promql_builder import increase, lines, sum_by

RUNBOOK: Final = "telemetry"
"""The runbook's page of every alert about telemetry."""

RECENT: Final = Duration("15m")
"""The span in which an event of a counter is recent."""


@dataclass(frozen=True, kw_only=True)
class TelemetryAlert:
    """A row: the alert, and its section of the runbook."""

    name: str
    severity: Severity
    expr: str
    reads: tuple[str, ...]
    """The metrics of other programs that the expression reads."""
    for_: Duration
    summary: str
    """One line, with labels of the alert."""
    description: str
    """The value and the consequence."""
    meaning: str
    """What is wrong, and why the severity is right; for the runbook."""
    queries: tuple[tuple[str, str], ...]
    """First steps for the runbook: a text, and a query in PromQL."""
    actions: str
    """What ends the alert; for the runbook."""


def recent_events(counter: str, options: Options) -> str:
    """Return the events of a counter in the last minutes, for each series with any.

    Such a counter has no series before its first event. The increase of a series that was born a
    short time ago lacks that event; its value has it.
    """
    return lines(
        f"{increase(counter, RECENT, options)} > 0",
        "or",
        f"({counter} > 0 unless {counter} offset {RECENT})",
    )


def recent_events_of(
    counters: dict[str, str], label: str, by: tuple[str, ...], options: Options
) -> str:
    """Return the recent events of several counters.

    Args:
        counters: the value of the label for each counter.
        label: tells the counters apart in the result.
        by: the other labels of the result.
        options: the version of Prometheus.
    """
    parts = (
        f'label_replace({recent_events(counter, options)}, "{label}", "{value}", "", "")'
        for counter, value in counters.items()
    )
    return sum_by((*by, label), "\n" + "\nor\n".join(parts) + "\n")
