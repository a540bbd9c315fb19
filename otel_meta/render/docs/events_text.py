"""What an SLO counts, in a sentence: the events, and the condition of a good or a bad event."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final, assert_never

from otel_meta.model import Instrument, Selector, Slo
from otel_meta.model.selector import Matcher, Presence
from otel_meta.model.slo.comparison import Comparison
from otel_meta.model.slo.event_terms import EventCount, Remainder, TimeSlices
from otel_meta.model.slo.sli import SimpleSli
from otel_meta.render.rules.value_texts import bound_text

from .markdown import code_span, literal

_OPERATORS: Final[Mapping[str, str]] = MappingProxyType(
    {"<=": "at most", "<": "below", ">=": "at least", ">": "above"}
)


def counted_text(slo: Slo) -> str:
    """Return the sentence for a document, with the objective and the period."""
    what = "events" if slo.sli.unit == "events" else "time"
    metrics = " and of ".join(_metric(part.total_events.selector) for part in slo.sli.parts)
    conditions = "; ".join(dict.fromkeys(map(_condition, slo.sli.parts)))
    return (
        f"{slo.objective} of the {what} of {metrics} must be good over {slo.period}: {conditions}."
    )


def _metric(selected: Selector) -> str:
    instrument = selected.instrument
    description = literal(instrument.description).rstrip(".")
    values = _with(selected.matchers)
    return f"{code_span(instrument.prometheus_name)}{values} ({description})"


def _condition(part: SimpleSli) -> str:
    bad, total = part.bad_events, part.total_events.selector
    bounds = " and ".join(
        _bound(value.negated(), bad.selector.instrument) for value in part.bad_values
    )
    match bad:
        case EventCount(selected) if selected.instrument == total.instrument:
            more = [matcher for matcher in selected.matchers if matcher not in total.matchers]
            return f"an event{_with(more)} is bad"
        case EventCount(selected):
            return f"an event of {_metric(selected)} is bad"
        case Remainder() if bounds:
            return f"a value of {bounds} is good"
        case Remainder(good):
            return f"an event of {_metric(good.selector)} is good"
        case TimeSlices(series="worst"):
            return f"a second in which every series is {bounds} is good"
        case TimeSlices():
            return f"a second in which a series is {bounds} is good, for each series"
        case _:
            assert_never(bad)


def _bound(comparison: Comparison, instrument: Instrument[...]) -> str:
    return f"{_OPERATORS[comparison.operator]} {bound_text(instrument, comparison.bound)}"


def _with(matchers: Iterable[Matcher]) -> str:
    """Return the label values of a selection, such as " with `outcome` `timeout` or `error`"."""
    return "".join(_values(matcher) for matcher in matchers)


def _values(matcher: Matcher) -> str:
    label = code_span(matcher.label)
    match matcher.values:
        case Presence():
            return f" with {label}"
        case ("",):
            return f" without {label}"
        case values:
            return f" with {label} {' or '.join(map(code_span, values))}"
