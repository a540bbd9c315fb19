"""The condition of a good event as one line of text, for pages, tables and documents."""

from __future__ import annotations

import re
from typing import Final, assert_never

from otel_meta.model import Selector, Sli
from otel_meta.model.slo.event_terms import EventCount, Remainder, TimeSlices
from otel_meta.model.slo.sli import SimpleSli

from .promql_text import compared, matcher, selector

_COUNTED: Final = re.compile(r"\{([a-z ]+)\}")
"""A unit that names the counted thing, such as ``{run}``."""


def sli_text(sli: Sli) -> str:
    """Return the condition of a good event, with the names of Prometheus."""
    return " or ".join(map(_part_text, sli.parts))


def _part_text(sli: SimpleSli) -> str:
    bad = sli.bad_events
    part, total = _series(bad.selector), _series(sli.total_events.selector)
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


def _series(selected: Selector) -> str:
    """Return a vector selector without the namespace."""
    return selector(selected.instrument.prometheus_name, map(matcher, selected.matchers))


def event_noun(sli: Sli) -> str:
    """Return the plural noun of the events: ``runs`` of a counter with the unit ``{run}``."""
    units = {part.total_events.selector.instrument.unit for part in sli.parts}
    counted = _COUNTED.fullmatch(units.pop()) if len(units) == 1 else None
    return _plural(counted[1]) if counted and sli.unit == "events" else sli.unit


def _plural(noun: str) -> str:
    return f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
