"""Panels of the recordings and alerts that a meta-repository declares."""

from __future__ import annotations

from otel_meta.model import Alert, MetaRepo, Recording
from otel_meta.render.rules.measure_promql import expression
from otel_meta.render.rules.promql_builder import equals, number, selector
from otel_meta.render.rules.series_names import NAMESPACE

from .grafana_units import measured_unit
from .instrument_panels import alert_thresholds
from .panel import Panel, Query, legend_of


def recording_panel(repo: type[MetaRepo], recording: Recording) -> Panel:
    """Return the panel of a recording."""
    return Panel(
        visualization="timeseries",
        title=recording.description.rstrip("."),
        description=f"{recording.description} Recorded as `{recording.name}`.",
        unit=measured_unit(recording.measure),
        queries=(
            Query(
                expr=selector(recording.name, [equals(NAMESPACE, repo.name)]),
                legend=legend_of(recording.measure.by),
            ),
        ),
    )


def alert_panel(repo: type[MetaRepo], alert: Alert) -> Panel:
    """Return the panel of an alert's measure, with the alert's bound as a threshold."""
    side = "above" if alert.comparison.operator == ">" else "below"
    return Panel(
        visualization="timeseries",
        title=alert.name,
        description=f"{alert.summary} It fires {side} {number(alert.comparison.bound)}.",
        unit=measured_unit(alert.measure),
        queries=(
            Query(expr=expression(alert.measure, repo.name), legend=legend_of(alert.measure.by)),
        ),
        thresholds=alert_thresholds(alert),
    )
