"""Panels of the recordings and alerts that a meta-repository declares."""

from __future__ import annotations

import re
from typing import Final

from otel_meta.model import Alert, MetaRepo, Recording
from otel_meta.render.options import Options
from otel_meta.render.rules.measures.measure_promql import expression
from otel_meta.render.rules.promql_builder import equals, number, selector, sum_by
from otel_meta.render.rules.series_names import NAMESPACE, SERVICE

from .grafana.panel import Panel, Query, legend_of
from .grafana.titles import fits, title_of
from .grafana_units import RATIO, decimals_of_share, measured_unit
from .instrument_panels import alert_thresholds
from .scope import Scope, chosen

_SHARE_DECIMALS: Final = 2


def recording_panel(repo: type[MetaRepo], recording: Recording, scope: Scope) -> Panel:
    """Return the panel of a recording."""
    measure = recording.measure
    of_service = SERVICE in measure.by
    matchers = (equals(NAMESPACE, repo.name), *((chosen(SERVICE),) if of_service else ()))
    unit = measured_unit(measure)
    labels = (*measure.by, *scope.identity.places)
    series = selector(recording.name, (*matchers, *scope.place_matchers))
    return Panel(
        visualization="timeseries",
        title=_recording_title(recording),
        description=f"{recording.description} Recorded as `{recording.name}`.",
        unit=unit,
        decimals=_SHARE_DECIMALS if unit == RATIO else None,
        queries=(Query(expr=sum_by(labels, series, "max"), legend=legend_of(labels)),),
    )


def alert_panel(repo: type[MetaRepo], alert: Alert, options: Options) -> Panel:
    """Return the panel of an alert's measure, with the alert's bound as a threshold."""
    side = "above" if alert.comparison.operator == ">" else "below"
    bound = alert.comparison.bound
    unit = measured_unit(alert.measure)
    return Panel(
        visualization="timeseries",
        title=alert.name,
        description=f"{alert.summary} It fires {side} {number(bound)}.",
        unit=unit,
        decimals=decimals_of_share(bound) if unit == RATIO else None,
        queries=(
            Query(
                expr=expression(alert.measure, repo.name, options),
                legend=legend_of((*alert.measure.by, *options.identity.places)),
            ),
        ),
        thresholds=alert_thresholds(alert),
        visible=float(bound),
    )


def _recording_title(recording: Recording) -> str:
    """Return the description, or the name without its level where the description is too long."""
    short = recording.description.rstrip(".")
    if fits(short, Panel.width):
        return short
    _, metric, operation = recording.name.split(":")
    name = title_of(metric.removesuffix("_seconds"))
    spaced = _OPERATION.sub(r"\1 \2", operation).replace("_", " ")
    return f"{name}, {spaced}"


_OPERATION: Final = re.compile(r"^([a-z]+)(\d+[a-z])$")
"""The name of an operation and its span: ``rate1h``."""
