"""Whether a request counts as bad in an SLO, told from its server span.

The SLIs are those of the HTTP metrics in `otel_meta.semconv`, whose labels are attributes of the
span. An SLI of another metric says nothing about a single span.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from typing import Any, Final

from opentelemetry.sdk.trace import ReadableSpan

from otel_meta.model import Instrument, MetaRepo, Selector
from otel_meta.model.slo.event_terms import EventCount, Remainder
from otel_meta.model.slo.sli import SimpleSli
from otel_meta.semconv import HTTP_SERVER_REQUEST_DURATION, HTTP_SERVER_TIME_TO_FIRST_BYTE

_ATTRIBUTES: Final[Mapping[str, str]] = {
    "http_request_method": "http.request.method",
    "url_scheme": "url.scheme",
    "http_route": "http.route",
    "http_response_status_code": "http.response.status_code",
    "error_type": "error.type",
    "stream": "stream",
}
"""Attributes of a server span by the label of the metrics."""

_IsBad = Callable[[Mapping[str, Any], float], bool]


class BadRequests:
    """Judges server spans by the SLOs of the service."""

    def __init__(self) -> None:
        self._conditions: dict[type[MetaRepo], tuple[_IsBad, ...]] = {}

    def follow(self, repo: type[MetaRepo]) -> None:
        """Judge by the SLOs of a meta-repository too."""
        self._conditions[repo] = tuple(
            condition
            for slo in repo.slos.values()
            for part in slo.sli.parts
            for condition in _conditions(part)
        )

    def __call__(self, root: ReadableSpan, seconds: float) -> str:
        """Return why a request is kept; "" for a good one."""
        attributes = root.attributes or {}
        if "http.request.method" not in attributes:
            return ""
        conditions = chain.from_iterable(list(self._conditions.values()))
        return "slo" if any(each(attributes, seconds) for each in conditions) else ""


def _conditions(sli: SimpleSli) -> Iterator[_IsBad]:
    instrument = sli.bad_events.selector.instrument
    value = _VALUES.get(instrument)
    if value is None:
        return
    match sli.bad_events:
        case EventCount() as bad:
            is_bad = _counts(bad)
        case Remainder(good):
            is_bad = _counts_rest(sli.total_events.selector, good)
        case _:
            return
    names = [_ATTRIBUTES[label.name] for label in instrument.label_fields]

    def condition(attributes: Mapping[str, Any], seconds: float) -> bool:
        number = value(attributes, seconds)
        labels = tuple([str(attributes.get(name, "")) for name in names])
        return number is not None and is_bad(labels, number)

    yield condition


def _counts(events: EventCount) -> Callable[[tuple[str, ...], float], bool]:
    matches, comparisons = events.selector.predicate(), tuple(events.comparisons())
    return lambda labels, number: (
        matches(labels) and all(each.holds(number) for each in comparisons)
    )


def _counts_rest(events: Selector, good: EventCount) -> Callable[[tuple[str, ...], float], bool]:
    is_event, is_good = events.predicate(), _counts(good)

    def is_bad(labels: tuple[str, ...], number: float) -> bool:
        return is_event(labels) and not is_good(labels, number)

    return is_bad


_Value = Callable[[Mapping[str, Any], float], float | None]

_VALUES: Final[Mapping[Instrument[...], _Value]] = {
    HTTP_SERVER_REQUEST_DURATION: lambda _attributes, seconds: seconds,
    HTTP_SERVER_TIME_TO_FIRST_BYTE: lambda attributes, _seconds: attributes.get(
        HTTP_SERVER_TIME_TO_FIRST_BYTE.name
    ),
}
"""What a request adds to a metric; None if nothing."""
