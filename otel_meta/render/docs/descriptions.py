"""Declarations in a line of words, for tables and documents."""

from __future__ import annotations

from typing import assert_never

from otel_meta.model import Instrument, Selector, Sli
from otel_meta.model.event_terms import EventCount, Remainder, TimeSlices
from otel_meta.render.rules.promql_builder import compared, matcher, selector


def sli_in_words(sli: Sli) -> str:
    """What makes an event good, in one line of Prometheus' names."""
    bad = sli.bad_events
    part, total = match_in_words(bad.selector), match_in_words(sli.total_events.selector)
    good_values = " and ".join(compared(value.negated()) for value in sli.bad_values)
    match bad:
        case EventCount():
            return f"not {part} among {total}"
        case Remainder() if good_values:
            return f"{part} {good_values}"
        case Remainder():
            return f"{part} among {total}"
        case TimeSlices():
            return f"{part} {good_values}, {bad.series} series"
        case _:
            assert_never(bad)


def match_in_words(match: Selector) -> str:
    """Part of a metric's series, as Prometheus selects it."""
    return selector(match.instrument.prometheus_name, map(matcher, match.matchers))


def labels_in_words(instrument: Instrument[...]) -> str:
    """A metric's labels with their closed values, the longest sets cut short."""
    return ", ".join(
        label.name if label.values is None else f"{label.name} ({_few(label.values)})"
        for label in instrument.label_fields
    )


def _few(values: tuple[str, ...], most: int = 8) -> str:
    if len(values) <= most:
        return " ".join(values)
    return f"{values[0]} … {values[-1]}, {len(values)} values"
