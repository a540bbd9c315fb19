"""``find_metric``: declared metrics by a text, with the SLOs and alerts that use each of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from operator import itemgetter
from typing import Any, Final

from otel_meta import measures
from otel_meta.model import Instrument, MetaRepo, Selector, Slo
from otel_meta.model.arguments import did_you_mean
from otel_meta.model.identity import SERVICE
from otel_meta.render.options import Options
from otel_meta.render.rules.alerting_rules import slo_alerts
from otel_meta.render.rules.declared_alerts import declared_alert
from otel_meta.render.rules.measures.measure_promql import expression
from otel_meta.render.rules.rule import AlertRule

from .tool_answers import MetricList, MetricRow, ReadyQuery, UsingAlert
from .tool_sources import Sources

Found = tuple[type[MetaRepo], Instrument[...]]

_MOST: Final = 20
"""Metrics in an answer."""
_SPAN: Final = "5m"
_QUANTILE: Final = "0.95"
_NO_MATCH: Final = 3
_MATCHES: Final = "Best match first."


def metric_list(sources: Sources, text: str) -> MetricList:
    """Return the metrics whose name, labels or description have each word of a text."""
    wanted = text.lower().split()
    ranked = [(_rank(each, wanted), each) for each in sources.catalog.instruments()]
    found = [each for rank, each in sorted(ranked, key=itemgetter(0)) if rank < _NO_MATCH]
    names = [instrument.name for _, (_, instrument) in ranked]
    return MetricList(
        note=_MATCHES if found else f"no metric matches {text!r}{did_you_mean(text, names)}",
        metrics=[_row(repo, metric, sources.project.options) for repo, metric in found[:_MOST]],
        left_out=max(0, len(found) - _MOST),
    )


def _rank(found: Found, words: Sequence[str]) -> int:
    """Return the first place with all words: the whole name, the names, any text."""
    _, instrument = found
    names = [instrument.name, *instrument.sample_names]
    labels = [label.name for label in instrument.label_fields]
    if [*words] in ([name] for name in names):
        return 0
    places = (names, [*names, *labels, instrument.description.lower()])
    texts = map(" ".join, places)
    return next((n for n, text in enumerate(texts, 1) if _has(text, words)), _NO_MATCH)


def _has(text: str, words: Sequence[str]) -> bool:
    return all(word in text for word in words)


def _row(repo: type[MetaRepo], metric: Instrument[...], options: Options) -> MetricRow:
    slos = [slo for slo in repo.slos.values() if _reads(metric, slo.sli.selectors())]
    return MetricRow(
        repo=repo.name,
        name=metric.name,
        prometheus_name=metric.prometheus_name,
        type=metric.kind,
        unit=metric.unit,
        description=metric.description,
        labels={
            label.name: None if label.values is None else [*label.values]
            for label in metric.label_fields
        },
        slos=[slo.name for slo in slos],
        alerts=[*map(_using, _alerts(repo, metric, slos, options))],
        queries=[*_queries(repo, metric, options)],
    )


def _reads(metric: Instrument[...], selectors: Iterable[Selector]) -> bool:
    return any(selector.instrument == metric for selector in selectors)


def _alerts(
    repo: type[MetaRepo], metric: Instrument[...], slos: list[Slo], options: Options
) -> Iterator[AlertRule]:
    for slo in slos:
        yield from slo_alerts(repo, slo, options)
    for alert in repo.alerts.values():
        if _reads(metric, alert.measure.selectors()):
            yield declared_alert(repo, alert, options)


def _using(rule: AlertRule) -> UsingAlert:
    return UsingAlert(
        alert=rule.alert, severity=rule.labels["severity"], slo=rule.labels.get("slo")
    )


def _queries(
    repo: type[MetaRepo], metric: Instrument[...], options: Options
) -> Iterator[ReadyQuery]:
    by = (SERVICE, *(label.name for label in metric.label_fields))
    asked: list[tuple[str, Any]] = []
    if metric.traits.counts_events:
        asked.append(
            (f"events per second over {_SPAN}, by label", measures.rate(metric, _SPAN, by=by))
        )
    else:
        asked.append(("highest value now, by label", measures.latest(metric, by=by)))
    if metric.traits.has_buckets:
        quantile = measures.quantile(metric, _QUANTILE, _SPAN)
        asked.append((f"quantile {_QUANTILE} over {_SPAN}, by service", quantile))
    for what, measure in asked:
        yield ReadyQuery(what=what, promql=expression(measure, repo.name, options))
