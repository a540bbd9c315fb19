"""Declarations in a line of words, for tables and documents."""

from __future__ import annotations

from otel_meta.model import Instrument, Ratio, Selector, Sli, Threshold, TimeSlice
from otel_meta.render.rules.promql_builder import matcher, number, selector


def sli_in_words(sli: Sli) -> str:
    """What makes an event good, in one line of Prometheus' names."""
    match sli:
        case Ratio(bad=Selector() as bad):
            return f"not {match_in_words(bad)} among {match_in_words(sli.total)}"
        case Ratio():
            return f"{match_in_words(sli.good or sli.total)} among {match_in_words(sli.total)}"
        case Threshold():
            return f"{match_in_words(sli.values)} <= {number(sli.bound)}"
        case TimeSlice():
            comparison, bound = (
                (">=", sli.at_least) if sli.at_least is not None else ("<=", sli.at_most or 0.0)
            )
            return f"{match_in_words(sli.value)} {comparison} {number(bound)}, {sli.series} series"


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
