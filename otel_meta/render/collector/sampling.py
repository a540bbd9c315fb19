"""Tail sampling: keeps traces with errors or bad events of an SLO, and a share of the rest."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final, assert_never

from otel_meta.model import Catalog, Duration, MetaRepo, Slo
from otel_meta.model.selector import Matcher, Presence, Selector
from otel_meta.model.slo.comparison import Comparison
from otel_meta.model.slo.event_terms import EventCount, Remainder, TimeSlices
from otel_meta.model.slo.sli import SimpleSli
from otel_meta.render._yaml import comment
from otel_meta.semconv import HTTP_SERVER_REQUEST_DURATION, HTTP_SERVER_TIME_TO_FIRST_BYTE

from .common_config import Config
from .env_variables import DECISION_WAIT, SAMPLING_PERCENT, UNDECIDED_TRACES

_REMEMBERED: Final = 500_000
"""Decisions remembered for late spans: of the last two minutes, at 4,000 traces a second."""
_SERVER: Final = "span.kind == SPAN_KIND_SERVER"
_OF_SERVER_SPANS: Final = (HTTP_SERVER_REQUEST_DURATION, HTTP_SERVER_TIME_TO_FIRST_BYTE)
"""The metrics whose labels are attributes of the server span as well."""


def tail_sampling(catalog: Catalog) -> Config:
    """Return the processor of tail sampling, which decides some seconds after the first span."""
    return {
        "decision_wait": str(DECISION_WAIT),
        **comment("So many that the memory limit, which loses nothing, is reached first."),
        "num_traces": UNDECIDED_TRACES.number,
        "decision_cache": {
            "sampled_cache_size": _REMEMBERED,
            "non_sampled_cache_size": _REMEMBERED,
        },
        "policies": list(_policies(catalog)),
    }


def _policies(catalog: Catalog) -> Iterator[Config]:
    yield {"name": "errors", "type": "status_code", "status_code": {"status_codes": ["ERROR"]}}
    for repo in catalog:
        for slo in repo.slos.values():
            if conditions := bad_spans(repo, slo):
                yield _slo(slo, conditions)
    yield {
        **comment("Of the traces that no policy above keeps."),
        "name": "rest",
        "type": "probabilistic",
        "probabilistic": {"sampling_percentage": SAMPLING_PERCENT.number},
    }


def _slo(slo: Slo, conditions: list[str]) -> Config:
    return {
        "name": slo.name,
        "type": "ottl_condition",
        "ottl_condition": {"error_mode": "ignore", "span": conditions},
    }


def bad_spans(repo: type[MetaRepo], slo: Slo) -> list[str]:
    """Return OTTL conditions: any is true of a bad event's span; none if spans do not show them.

    An HTTP SLO applies to server spans. For other durations no convention names the span, so the
    condition applies to all spans of the meta-repository, except for server spans if an HTTP SLO
    has a bound for them. A bound of the decision wait or more gives no condition, because the
    decision is made before such a span ends.
    """
    return [*filter(None, (_bad_span(repo, part) for part in slo.sli.parts))]


def _bad_span(repo: type[MetaRepo], sli: SimpleSli) -> str:
    bad, total = sli.bad_events, sli.total_events.selector
    match bad:
        case EventCount() | Remainder() if sli.bad_values:
            return _slow_span(repo, sli)
        case EventCount():
            return _http_span(repo, total, bad.selector, _label_conditions(bad.selector))
        case Remainder():
            remainder = f"not ({_label_conditions(bad.selector)})"
            return _http_span(repo, total, bad.selector, _label_conditions(total), remainder)
        case TimeSlices():
            return ""
        case _:
            assert_never(bad)


def _http_span(repo: type[MetaRepo], total: Selector, part: Selector, *conditions: str) -> str:
    if {total.instrument, part.instrument} != {HTTP_SERVER_REQUEST_DURATION}:
        return ""
    return _all_of(_in_namespace(repo), _SERVER, *conditions)


def _slow_span(repo: type[MetaRepo], sli: SimpleSli) -> str:
    values = sli.bad_events.selector
    wait = Duration(DECISION_WAIT.default).seconds
    if values.instrument.unit != "s" or any(bad.bound >= wait for bad in sli.bad_values):
        return ""
    durations = _any_of([_duration(values, bad) for bad in sli.bad_values])
    return _all_of(
        _in_namespace(repo), _span_kind(repo, values), _label_conditions(values), durations
    )


def _span_kind(repo: type[MetaRepo], values: Selector) -> str:
    if values.instrument in _OF_SERVER_SPANS:
        return _SERVER
    return f"not ({_SERVER})" if _has_http_latency_slo(repo) else ""


def _has_http_latency_slo(repo: type[MetaRepo]) -> bool:
    parts = (part for slo in repo.slos.values() for part in slo.sli.parts if part.bad_values)
    return any(part.bad_events.selector.instrument in _OF_SERVER_SPANS for part in parts)


def _in_namespace(repo: type[MetaRepo]) -> str:
    return f'resource.attributes["service.namespace"] == "{repo.name}"'


def _duration(values: Selector, bad: Comparison) -> str:
    if values.instrument is HTTP_SERVER_TIME_TO_FIRST_BYTE:
        return f'span.attributes["{values.instrument.name}"] {bad.operator} {bad.bound:.15g}'
    nanoseconds = f"{bad.bound * 1e9:.0f}"
    return f"span.end_time_unix_nano - span.start_time_unix_nano {bad.operator} {nanoseconds}"


def _label_conditions(selector: Selector) -> str:
    """Return conditions on HTTP labels, which are also span attributes; else no conditions."""
    if selector.instrument not in _OF_SERVER_SPANS:
        return ""
    return _all_of(*(_condition(selector, matcher) for matcher in selector.matchers))


def _condition(selector: Selector, matcher: Matcher) -> str:
    attribute = next(
        label.attribute for label in selector.instrument.label_fields if label.name == matcher.label
    )
    key = f'span.attributes["{attribute.key}"]'
    if isinstance(matcher.values, Presence):
        return f"{key} != nil"
    values = [json.dumps(attribute.encode(value)) if value else "nil" for value in matcher.values]
    return _any_of([f"{key} == {value}" for value in values])


def _all_of(*conditions: str) -> str:
    return " and ".join(filter(None, conditions))


def _any_of(conditions: list[str]) -> str:
    joined = " or ".join(conditions)
    return f"({joined})" if len(conditions) > 1 else joined
