"""The condition of a good event as one line of text, for pages, tables and documents."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, assert_never

from otel_meta import semconv
from otel_meta.model import Instrument, Selector, Sli
from otel_meta.model.slo.event_terms import EventCount, Remainder, TimeSlices
from otel_meta.model.slo.sli import SimpleSli

from .promql_text import compared, matcher, selector

_COUNTED: Final = re.compile(r"\{([a-z ]+)\}")
"""A unit that names the counted thing, such as ``{run}``."""
_MEASURED: Final[Mapping[str, str]] = MappingProxyType(
    {
        semconv.HTTP_SERVER_REQUEST_DURATION.name: "requests",
        semconv.HTTP_SERVER_TIME_TO_FIRST_BYTE.name: "requests",
        semconv.WEBSOCKET_CONNECTION_DURATION.name: "connections",
        semconv.WEBSOCKET_MESSAGE_DURATION.name: "messages",
    }
)
"""The measured things of histograms, whose unit is that of the measurement."""


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
    nouns = {_noun(part.total_events.selector.instrument) for part in sli.parts}
    return nouns.pop() if len(nouns) == 1 and sli.unit == "events" else sli.unit


def _noun(instrument: Instrument[...]) -> str:
    counted = _COUNTED.fullmatch(instrument.unit)
    return _plural(counted[1]) if counted else _MEASURED.get(instrument.name, "events")


def _plural(noun: str) -> str:
    return f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
