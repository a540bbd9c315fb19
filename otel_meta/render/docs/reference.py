"""The reference page: every metric, SLO, recording and alert of a catalogue."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from otel_meta.model import Catalog, MetaRepo
from otel_meta.render.options import Options
from otel_meta.render.rules import overview, series_names
from otel_meta.render.rules.alerting_rules import alerting_groups
from otel_meta.render.rules.intervals import ALERT_INTERVAL, INCREASE_WINDOW
from otel_meta.render.rules.recording_rules import recording_groups
from otel_meta.render.rules.rule import AlertRule, Group, Record
from otel_meta.render.rules.telemetry import telemetry_groups
from otel_meta.status.sli_text import sli_text

from .corrections_section import corrections_section
from .descriptions import labels_text
from .markdown import code_span, literal, page, table

_SOURCE = "otel_meta/render/docs/reference.py"

_SPAN = "<span>"
_RECORDED = (
    (f"slo:total:increase{_SPAN}", "events over a span; seconds, for time slices"),
    (f"slo:bad:increase{_SPAN}", "bad events over the same span"),
    (f"slo:error_ratio:{_SPAN}", "share of bad events over the same span"),
    (
        series_names.LATE_ERROR_RATIO,
        "share of bad events among those counted within five minutes, after a gap",
    ),
    (series_names.TOTAL_CUMULATIVE, "events since the rules began to count, across gaps"),
    (series_names.BAD_CUMULATIVE, "bad events since the rules began to count"),
    (series_names.PERIOD_BAD, "bad events over the SLO's period"),
    (series_names.COVERAGE, "share of the SLO's period in which the service had data"),
    (series_names.PERIOD_ERROR_RATIO, "share of bad events over the SLO's period"),
    (series_names.SLI, "share of good events over the SLO's period, such as availability"),
    (
        series_names.BUDGET_REMAINING,
        "share of the error budget left; negative once overspent",
    ),
    (
        series_names.BURN_RATE_1H,
        "burn rate over an hour; 1 spends the budget in one period",
    ),
    (
        series_names.COMPLIANT,
        "1 while the SLO is met, 0 while not met, absent without data",
    ),
    (series_names.OBJECTIVE, "the share of events that must be good"),
    (series_names.INFO, "1, with the labels owner, tier, objective and period, for joins"),
    (series_names.COMPLIANCE, "share of a service's SLOs that are met"),
    (
        series_names.VIOLATIONS,
        "number of a service's SLOs not met at some time in 24 hours",
    ),
    (series_names.VIOLATIONS_SHARE, "the same as a share of the service's SLOs"),
    (series_names.PROCESSES, "number of a service's processes that report"),
)


def reference(catalog: Catalog, options: Options) -> str:
    """Return the reference page."""
    return page(
        "Reference",
        _SOURCE,
        "Every metric, SLO, recording and alert. Each series also carries `service_name` and "
        "`service_namespace`; the latter is the meta-repository's name.",
        *chain.from_iterable(_of_repo(repo, options) for repo in catalog),
        "## Of every SLO",
        f"Recorded each minute, and for spans of pages each {ALERT_INTERVAL}, with the labels "
        f"`slo`, {', '.join(f'`{label}`' for label in options.identity.service)}. None of these "
        "labels changes with the owner or the objective, so an SLO keeps its history. Spans are "
        f"those of the burn windows, and {INCREASE_WINDOW}.",
        table(["series", "meaning"], ([f"`{name}`", meaning] for name, meaning in _RECORDED)),
        *corrections_section(options),
        "## Across meta-repositories",
        _alerts(overview.alerting_groups(catalog, options)),
        "## About telemetry",
        _alerts(telemetry_groups(catalog, options)),
    )


def _of_repo(repo: type[MetaRepo], options: Options) -> Iterator[str]:
    yield f"## {repo.name}"
    yield f"{literal(repo.description)} Owner: {repo.owner}; tier {repo.tier}."
    yield "### Metrics"
    yield table(
        ["metric", "type", "unit", "meaning", "labels"],
        (
            [
                f"`{i.prometheus_name}`",
                i.kind,
                i.unit or "-",
                literal(i.description),
                labels_text(i),
            ]
            for i in repo.instruments.values()
        ),
    )
    yield "### SLOs"
    yield table(
        ["SLO", "objective", "period", "good", "why"],
        (
            [
                f"`{s.name}`",
                str(s.objective),
                str(s.period),
                code_span(sli_text(s.sli)),
                literal(s.why),
            ]
            for s in repo.slos.values()
        ),
    )
    yield from _recordings(repo, options)
    yield "### Alerts"
    yield _alerts(alerting_groups(repo, options))


def _recordings(repo: type[MetaRepo], options: Options) -> Iterator[str]:
    described = {recording.name: recording.description for recording in repo.recordings.values()}
    recorded = [
        rule.record
        for group in recording_groups(repo, options)
        for rule in group.rules
        if isinstance(rule, Record) and rule.record in described
    ]
    if recorded:
        yield "### Recordings"
        yield table(
            ["series", "meaning"], ([f"`{name}`", literal(described[name])] for name in recorded)
        )


def _alerts(groups: Iterator[Group]) -> str:
    rows = (
        (
            f"`{rule.alert}`",
            rule.labels["severity"],
            str(rule.for_ or "-"),
            rule.labels.get("slo", "-"),
        )
        for group in groups
        for rule in group.rules
        if isinstance(rule, AlertRule)
    )
    # Rules of several meta-repositories differ in their labels only.
    return table(["alert", "severity", "for", "SLO"], dict.fromkeys(rows))
