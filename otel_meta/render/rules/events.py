"""How many events of an SLO there were over a span, from what is recorded of each five minutes."""

from __future__ import annotations

from otel_meta.model import Duration, Slo

from . import series_names as series
from .promql_builder import DENSE, equals, events_over, selector, sum_over


def summed(name: str, slo: Slo, span: Duration) -> str:
    """Bad or total events over a span, to be divided by another such sum."""
    return sum_over(_read(name, slo, span), span)


def counted(name: str, slo: Slo, span: Duration) -> str:
    """Bad or total events over a span, as their number."""
    return events_over(_read(name, slo, span), span)


def _read(name: str, slo: Slo, span: Duration) -> str:
    read = name if span <= DENSE else series.SMOOTHED[name]
    return selector(read, [equals(series.SLO, slo.name)])
