"""Tail sampling: keeps traces with errors or bad events of an SLO, and a share of the rest."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

from otel_meta.model import (
    HTTP_SERVER_REQUEST_DURATION,
    Catalog,
    Duration,
    MetaRepo,
    Ratio,
    Slo,
    Threshold,
)
from otel_meta.model.selector import Matcher, Presence, Selector
from otel_meta.render._yaml import note

from .common_config import Config
from .env_variables import DECISION_WAIT, SAMPLING_PERCENT

_TRACES: Final = 50_000
"""Maximum number of traces that wait for a decision: 3,300 per second, at 15 s each."""
_REMEMBERED: Final = 10 * _TRACES
"""Decisions remembered for late spans; the processor's authors recommend a factor of ten."""
_SERVER: Final = "span.kind == SPAN_KIND_SERVER"


def tail_sampling(catalog: Catalog) -> Config:
    """Return the processor of tail sampling, which decides some seconds after the first span."""
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
        **note("Of the traces that no policy above keeps."),
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
    """Return the OTTL condition of a bad event's span; empty if spans do not show bad events.

    An HTTP SLO applies to server spans. For other durations no convention names the span, so the
    condition applies to all spans of the meta-repository, except for server spans if an HTTP SLO
    has a bound for them. A bound above the decision wait gives no condition, because the decision
    is made before such a span ends.
    """
    match slo.sli:
        case Ratio(total=total) as sli if total.instrument is HTTP_SERVER_REQUEST_DURATION:
            return _joined(_of(repo), _SERVER, _bad(sli))
        case Threshold(values=values, bound=bound) if _soon_enough(values, bound):
            return _joined(_of(repo), _kind(repo, values), _where(values), _longer_than(bound))
        case _:
            return ""


def _bad(sli: Ratio) -> str:
    if sli.bad is not None:
        return _joined(_where(sli.total), _where(sli.bad))
    return _joined(_where(sli.total), f"not ({_where(sli.good)})" if sli.good else "")


def _soon_enough(values: Selector, bound: float) -> bool:
    return values.instrument.unit == "s" and bound < Duration(DECISION_WAIT.default).seconds


def _kind(repo: type[MetaRepo], values: Selector) -> str:
    if values.instrument is HTTP_SERVER_REQUEST_DURATION:
        return _SERVER
    return f"not ({_SERVER})" if _promises_http_latency(repo) else ""


def _promises_http_latency(repo: type[MetaRepo]) -> bool:
    slis = [slo.sli for slo in repo.slos.values() if isinstance(slo.sli, Threshold)]
    return any(sli.values.instrument is HTTP_SERVER_REQUEST_DURATION for sli in slis)


def _of(repo: type[MetaRepo]) -> str:
    return f'resource.attributes["service.namespace"] == "{repo.name}"'


def _longer_than(seconds: float) -> str:
    return f"span.end_time_unix_nano - span.start_time_unix_nano > {seconds * 1e9:.0f}"


def _where(match: Selector) -> str:
    """Return conditions on HTTP labels, which are also span attributes; else no conditions."""
    if match.instrument is not HTTP_SERVER_REQUEST_DURATION:
        return ""
    return _joined(*(_condition(match, condition) for condition in match.matchers))


def _condition(match: Selector, condition: Matcher) -> str:
    attribute = next(
        label.attribute for label in match.instrument.label_fields if label.name == condition.label
    )
    place = f'span.attributes["{attribute.key}"]'
    if isinstance(condition.wanted, Presence):
        return f"{place} != nil"
    values = [json.dumps(attribute.encode(value)) for value in condition.wanted]
    either = " or ".join(f"{place} == {value}" for value in values)
    return f"({either})" if len(values) > 1 else either


def _joined(*conditions: str) -> str:
    return " and ".join(filter(None, conditions))
