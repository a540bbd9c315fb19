"""What counts as a bad event: in words, and as a query."""

from __future__ import annotations

from typing import assert_never

from otel_meta.model import Duration, MetaRepo, Selector, Sli, Slo
from otel_meta.model.slo.event_terms import EventCount, Remainder, TimeSlices
from otel_meta.model.slo.sli import SimpleSli
from otel_meta.render.options import Options
from otel_meta.render.rules.sli_promql import Scope, increments
from otel_meta.status.promql_text import compared, matcher, selector


def bad_events_words(sli: Sli) -> str:
    """Return a description of the bad events, with the names of Prometheus."""
    return ", or ".join(map(_words, sli.parts))


def bad_events_query(repo: type[MetaRepo], slo: Slo, span: Duration, options: Options) -> str:
    """Return the expression of the bad events over a span, by service."""
    return increments(slo.sli, Scope(repo.name, span, options)).bad


def _words(sli: SimpleSli) -> str:
    bad = sli.bad_events
    part, total = _series(bad.selector), _series(sli.total_events.selector)
    values = " or ".join(f"{compared(value)}{_unit(bad.selector)}" for value in sli.bad_values)
    match bad:
        case EventCount() | Remainder() if values:
            return f"each value {values} of {part}"
        case EventCount():
            return f"each event of {part}, among those of {total}"
        case Remainder():
            return f"each event of {total}, except those of {part}"
        case TimeSlices(series="worst"):
            return f"each second in which any series of {part} is {values}"
        case TimeSlices():
            return f"each second of a series of {part} that is {values}"
        case _:
            assert_never(bad)


def _series(selected: Selector) -> str:
    return selector(selected.instrument.prometheus_name, map(matcher, selected.matchers))


def _unit(selected: Selector) -> str:
    """Return the unit after a bound; units in braces only annotate a number."""
    unit = selected.instrument.unit
    return f" {unit}" if unit and not unit.startswith("{") else ""
