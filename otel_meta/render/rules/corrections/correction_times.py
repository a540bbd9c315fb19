"""Corrections in time: conditions in PromQL that are true from a moment on, or until a moment."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from otel_meta.model import Slo
from otel_meta.model.slo.corrected_span import CorrectedSpan
from otel_meta.model.slo.correction import Correction
from otel_meta.render.rules.promql_builder import number

NOW: Final = "vector(time())"


def seconds(moment: datetime) -> str:
    """Return a time in seconds since 1970, for PromQL."""
    return number(moment.timestamp())


def until(moment: datetime) -> str:
    """Return a condition on any series: the moment is not reached."""
    return f"and on () ({NOW} < {seconds(moment)})"


def in_period(correction: CorrectedSpan | Correction, slo: Slo) -> str:
    """Return a condition on any series: a part of the correction lies in the SLO's period."""
    left = number(correction.end.timestamp() + slo.period.seconds)
    return f"and on () ({NOW} >= {seconds(correction.begin)} < {left})"
