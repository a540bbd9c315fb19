"""Bad or total events of an SLO over a span, added up from the recorded increases."""

from __future__ import annotations

from otel_meta.model import Duration, Slo

from . import series_names
from .promql_builder import LONGEST_FULL_SPAN, equals, events_over, selector, sum_over


def event_sum(name: str, slo: Slo, span: Duration) -> str:
    """Return a sum that is proportional to the events, as a part of a quotient of sums."""
    return sum_over(_increases(name, slo, span), span)


def event_count(name: str, slo: Slo, span: Duration) -> str:
    """Return the number of events."""
    return events_over(_increases(name, slo, span), span)


def _increases(name: str, slo: Slo, span: Duration) -> str:
    recorded = name if span <= LONGEST_FULL_SPAN else series_names.SMOOTHED[name]
    return selector(recorded, [equals(series_names.SLO, slo.name)])
