"""Which traces are kept: all that an SLO asks about, and a share of the rest."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final, assert_never

from otel_meta.model import Catalog, Duration, MetaRepo, Sli, Slo
from otel_meta.model.comparison import Comparison
from otel_meta.model.event_terms import EventCount, Remainder, TimeSlices
from otel_meta.model.selector import Matcher, Presence, Selector
from otel_meta.render._yaml import note
from otel_meta.semconv import HTTP_SERVER_REQUEST_DURATION

from .common_config import Config
from .env_variables import DECISION_WAIT, SAMPLING_PERCENT

_TRACES: Final = 50_000
"""As many traces as may wait for their decision: 3,300 a second, at 15 s each."""
_REMEMBERED: Final = 10 * _TRACES
"""Decisions remembered for spans that come late; ten times as many, as its authors advise."""
_SERVER: Final = "span.kind == SPAN_KIND_SERVER"


def tail_sampling(catalog: Catalog) -> Config:
    """Decides about whole traces, some seconds after they began."""
    return {
        "decision_wait": str(DECISION_WAIT),
        "num_traces": _TRACES,
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
            if condition := bad_span(repo, slo):
                yield _slo(slo, condition)
    yield {
        **note("Of what no policy above keeps."),
        "name": "rest",
        "type": "probabilistic",
        "probabilistic": {"sampling_percentage": str(SAMPLING_PERCENT)},
    }


def _slo(slo: Slo, condition: str) -> Config:
    return {
        "name": slo.name,
        "type": "ottl_condition",
        "ottl_condition": {"error_mode": "ignore", "span": [condition]},
    }


def bad_span(repo: type[MetaRepo], slo: Slo) -> str:
    """The OTTL condition of a span that spends an SLO's budget; empty where no span tells.

    An HTTP SLO speaks of server spans. No convention says which span another duration belongs to,
    so any span of the meta-repository may be meant; server spans, too, unless it has an SLO for
    them. A bound that is longer than the wait is of no use: by then the decision has been made.
    """
    bad, total = slo.sli.bad_events, slo.sli.total_events.selector
    match bad:
        case EventCount() | Remainder() if slo.sli.bad_values:
            return _slow_span(repo, slo.sli)
        case EventCount():
            return _http_span(repo, total, bad.selector, _where(bad.selector))
        case Remainder():
            return _http_span(repo, total, bad.selector, f"not ({_where(bad.selector)})")
        case TimeSlices():
            return ""
        case _:
            assert_never(bad)


def _http_span(repo: type[MetaRepo], total: Selector, part: Selector, condition: str) -> str:
    if {total.instrument, part.instrument} != {HTTP_SERVER_REQUEST_DURATION}:
        return ""
    return _joined(_of(repo), _SERVER, _where(total), condition)


def _slow_span(repo: type[MetaRepo], sli: Sli) -> str:
    values = sli.bad_events.selector
    wait = Duration(DECISION_WAIT.default).seconds
    if values.instrument.unit != "s" or any(c.bound >= wait for c in sli.bad_values):
        return ""
    durations = " or ".join(map(_duration, sli.bad_values))
    either = f"({durations})" if len(sli.bad_values) > 1 else durations
    return _joined(_of(repo), _kind(repo, values), _where(values), either)


def _kind(repo: type[MetaRepo], values: Selector) -> str:
    if values.instrument is HTTP_SERVER_REQUEST_DURATION:
        return _SERVER
    return f"not ({_SERVER})" if _promises_http_latency(repo) else ""


def _promises_http_latency(repo: type[MetaRepo]) -> bool:
    slis = [slo.sli for slo in repo.slos.values() if slo.sli.bad_values]
    return any(sli.bad_events.selector.instrument is HTTP_SERVER_REQUEST_DURATION for sli in slis)


def _of(repo: type[MetaRepo]) -> str:
    return f'resource.attributes["service.namespace"] == "{repo.name}"'


def _duration(bad: Comparison) -> str:
    nanoseconds = f"{bad.bound * 1e9:.0f}"
    return f"span.end_time_unix_nano - span.start_time_unix_nano {bad.operator} {nanoseconds}"


def _where(match: Selector) -> str:
    """Conditions on labels, where they are known to be attributes of the span, too."""
    if match.instrument is not HTTP_SERVER_REQUEST_DURATION:
        return ""
    return _joined(*(_condition(match, condition) for condition in match.matchers))


def _condition(match: Selector, condition: Matcher) -> str:
    attribute = next(
        label.attribute for label in match.instrument.label_fields if label.name == condition.label
    )
    place = f'span.attributes["{attribute.key}"]'
    if isinstance(condition.values, Presence):
        return f"{place} != nil"
    values = [json.dumps(attribute.encode(value)) for value in condition.values]
    either = " or ".join(f"{place} == {value}" for value in values)
    return f"({either})" if len(values) > 1 else either


def _joined(*conditions: str) -> str:
    return " and ".join(filter(None, conditions))
