"""Declarations as one line of text, for tables and documents."""

from __future__ import annotations

from typing import assert_never

from otel_meta.model import Instrument, Selector, Sli
from otel_meta.model.slo.event_terms import EventCount, Remainder, TimeSlices
from otel_meta.model.slo.sli import SimpleSli
from otel_meta.render.rules.promql_builder import compared, matcher, selector


def sli_text(sli: Sli) -> str:
    """Return the condition of a good event, with the names of Prometheus."""
    return " or ".join(map(_part_text, sli.parts))


def _part_text(sli: SimpleSli) -> str:
    bad = sli.bad_events
    part, total = selector_text(bad.selector), selector_text(sli.total_events.selector)
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


def selector_text(selected: Selector) -> str:
    """Return a vector selector without the namespace."""
    return selector(selected.instrument.prometheus_name, map(matcher, selected.matchers))


def labels_text(instrument: Instrument[...]) -> str:
    """Return a metric's labels with their closed values; long sets are shortened."""
    return ", ".join(
        label.name if label.values is None else f"{label.name} ({_shortened(label.values)})"
        for label in instrument.label_fields
    )


def _shortened(values: tuple[str, ...], most: int = 8) -> str:
    if len(values) <= most:
        return " ".join(values)
    return f"{values[0]} … {values[-1]}, {len(values)} values"
