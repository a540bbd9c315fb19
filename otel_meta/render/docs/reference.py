"""The reference: every metric, SLO, recording and alert of a catalogue."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from otel_meta.model import Catalog, MetaRepo
from otel_meta.render.links import Links
from otel_meta.render.rules import overview as cross
from otel_meta.render.rules import series_names as series
from otel_meta.render.rules.alerting_rules import alerting_groups
from otel_meta.render.rules.intervals import INCREASE_MINUTES
from otel_meta.render.rules.recording_rules import recording_groups
from otel_meta.render.rules.rule import AlertRule, Group, Record

from .descriptions import labels_in_words, sli_in_words
from .markdown import page, table

_SOURCE = "otel_meta/render/docs/reference.py"

_RECORDED = (
    (series.TOTAL, f"events over {INCREASE_MINUTES} minutes; seconds, for time slices"),
    (series.BAD, "bad ones among them"),
    *(
        (name, f"the same, averaged over {INCREASE_MINUTES} minutes, for long windows")
        for name in series.SMOOTHED.values()
    ),
    ("slo:error_ratio:5m and other spans", "bad events among all, for each span of a burn window"),
    (series.PERIOD_ERROR_RATIO, "bad events among all over the SLO's period"),
    (series.SLI, "good events among all over the SLO's period: availability, and the like"),
    (series.BUDGET_REMAINING, "share of the error budget that is left; negative once overspent"),
    (series.BURN_RATE_1H, "how many times too fast the budget burned over the last hour"),
    (series.COMPLIANT, "1 while the promise is kept, 0 while it is not, absent without data"),
    (series.OBJECTIVE, "the share of events that must be good"),
    (series.INFO, "1, with owner, tier, objective and period as labels, to join"),
    (series.COMPLIANCE, "share of a service's SLOs that are kept"),
    (series.VIOLATIONS, "how many of a service's SLOs were broken at some time in 24 hours"),
)


def reference(catalog: Catalog) -> str:
    """The whole page."""
    return page(
        "Reference",
        _SOURCE,
        "Every metric, SLO, recording and alert. Each series also carries `service_name` and "
        "`service_namespace`; the latter is the meta-repository's name.",
        *chain.from_iterable(map(_of_repo, catalog)),
        "## Of every SLO",
        "Recorded each minute with the labels `slo`, `service_namespace` and `service_name` alone, "
        "so that nothing that may change about an SLO can break its history:",
        table(["series", "what"], ([f"`{name}`", what] for name, what in _RECORDED)),
        "## Across meta-repositories",
        _alerts(cross.alerting_groups(Links())),
    )


def _of_repo(repo: type[MetaRepo]) -> Iterator[str]:
    yield f"## {repo.name}"
    yield f"{repo.description} Owner: {repo.owner}; tier {repo.tier}."
    yield "### Metrics"
    yield table(
        ["metric", "type", "unit", "what", "labels"],
        (
            [f"`{i.prometheus_name}`", i.kind, i.unit or "-", i.description, labels_in_words(i)]
            for i in repo.instruments.values()
        ),
    )
    yield "### SLOs"
    yield table(
        ["SLO", "objective", "period", "good", "why"],
        (
            [f"`{s.name}`", str(s.objective), str(s.period), f"`{sli_in_words(s.sli)}`", s.why]
            for s in repo.slos.values()
        ),
    )
    yield from _recordings(repo)
    yield "### Alerts"
    yield _alerts(alerting_groups(repo, Links()))


def _recordings(repo: type[MetaRepo]) -> Iterator[str]:
    described = {recording.name: recording.description for recording in repo.recordings.values()}
    recorded = [
        rule.record
        for group in recording_groups(repo)
        for rule in group.rules
        if isinstance(rule, Record) and rule.record in described
    ]
    if recorded:
        yield "### Recordings"
        yield table(["series", "what"], ([f"`{name}`", described[name]] for name in recorded))


def _alerts(groups: Iterator[Group]) -> str:
    rules = [rule for group in groups for rule in group.rules if isinstance(rule, AlertRule)]
    return table(
        ["alert", "severity", "for", "SLO"],
        (
            [
                f"`{rule.alert}`",
                rule.labels["severity"],
                str(rule.for_ or "-"),
                rule.labels.get("slo", "-"),
            ]
            for rule in rules
        ),
    )
