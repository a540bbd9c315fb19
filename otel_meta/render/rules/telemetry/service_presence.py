"""Alerts about services that reported a short time ago, and report no more."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from otel_meta.model import Catalog, Duration, MetaRepo
from otel_meta.render.links import repo_dashboard
from otel_meta.render.options import Options
from otel_meta.render.rules import series_names
from otel_meta.render.rules.alert_texts import (
    OF_SERVICE,
    SERVICE_TEXT,
    alert_annotations,
    alert_labels,
)
from otel_meta.render.rules.intervals import EVALUATION_INTERVAL
from otel_meta.render.rules.promql_builder import equals, lines, none_of, selector, sum_by
from otel_meta.render.rules.rule import AlertRule, Group, Record
from otel_meta.status.slo_links import SLO_DASHBOARD

from .telemetry_alert import RUNBOOK

REMEMBERED: Final = Duration("6h")
"""The time after which a service that is gone was removed; then SloNoData begins."""
ESTABLISHED: Final = Duration("30m")
"""The time for which a service has to report before its absence is a problem."""
_GRACE: Final = Duration("5m")
"""A restart takes less; a Collector forgets a dead process after five further minutes."""
_GRACE_OF_MOST: Final = Duration("3m")
"""Two evaluations less, in which groups begin at different seconds: the page about most services
fires before the pages about each, which it inhibits."""
_MOST: Final = 0.5
_SEVERAL: Final = 3


def presence_groups(catalog: Catalog, options: Options) -> Iterator[Group]:
    """Yield a group for each meta-repository: count the processes, and page if none is left."""
    for repo in catalog:
        rules = (_processes(repo, options), _service_down(repo, options))
        yield Group(f"{repo.name}-services", rules)


def _processes(repo: type[MetaRepo], options: Options) -> Record:
    reporting = selector(series_names.UP, [equals(series_names.NAMESPACE, repo.name)])
    processes = sum_by(options.identity.service, reporting, "count")
    # The label has this value anyway; it tells promtool that the rules do not record the same.
    return Record(series_names.PROCESSES, processes, {series_names.NAMESPACE: repo.name})


def _service_down(repo: type[MetaRepo], options: Options) -> AlertRule:
    series = _lasting(options, equals(series_names.NAMESPACE, repo.name))
    return AlertRule(
        alert="ServiceDown",
        expr=_gone(series),
        labels=alert_labels(repo, "page", options),
        annotations=alert_annotations(
            options,
            summary=f"{SERVICE_TEXT} is down: no process of the service reports any more",
            description=f"Its processes reported for {{{{ $value | humanize }}}} of the last "
            f"{_minutes(REMEMBERED)} minutes, and none has reported for {_GRACE} or longer. The "
            "service is down, or its telemetry is; its SLOs see no failed requests.",
            runbook=RUNBOOK,
            anchor="ServiceDown",
            dashboard=repo_dashboard(repo.name),
            variables=OF_SERVICE,
        ),
        for_=_GRACE,
    )


def telemetry_lost(options: Options) -> AlertRule:
    """Return the page that replaces many: the path of the telemetry fails, not each service."""
    places = options.identity.places
    series = _lasting(options)
    gone = sum_by(places, f"\n{_gone(series)}\n", "count")
    known = sum_by(places, _established(series), "count")
    return AlertRule(
        alert="TelemetryLost",
        expr=lines(gone, f"/ {known}", f"> {_MOST}", "and", gone, f">= {_SEVERAL}"),
        labels=alert_labels(None, "page", options),
        annotations=alert_annotations(
            options,
            summary="Most services report no more",
            description="{{ $value | humanizePercentage }} of the services have stopped reporting "
            f"for {_GRACE_OF_MOST} or longer. Look for what they share: the cluster, the network, "
            "the configuration of scraping.",
            runbook=RUNBOOK,
            anchor="TelemetryLost",
            dashboard=SLO_DASHBOARD,
        ),
        for_=_GRACE_OF_MOST,
    )


def _lasting(options: Options, *matchers: str) -> str:
    """Return the processes of services that do not end by themselves."""
    jobs = [none_of(series_names.SERVICE, options.jobs)] if options.jobs else []
    return selector(series_names.PROCESSES, [*matchers, *jobs])


def _gone(series: str) -> str:
    return lines(_established(series), "unless", series)


def _established(series: str) -> str:
    """Return the services that have reported for long enough not to be new."""
    return f"count_over_time({series}[{REMEMBERED}]) >= {_minutes(ESTABLISHED)}"


def _minutes(span: Duration) -> int:
    return span.seconds // EVALUATION_INTERVAL.seconds
