"""What the fleet says of traces: the rules in Prometheus' engine, then a Prometheus."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from alert_quality.engine import Answer, Query, RuleSet, run
from alert_quality.scenario import EPOCH, Scenario
from alert_quality.scrape import STALE, Series

from otel_meta.fleet.connection import Connection
from otel_meta.fleet.fleet_statuses import Fleet
from otel_meta.fleet.prometheus_api import PrometheusApi
from otel_meta.model import Catalog
from otel_meta.render.artifacts import rule_files
from otel_meta.render.options import Options
from otel_meta.render.rules.rule_formats import prometheus as as_prometheus
from otel_meta.status.status import Status
from tests.fleet.agreement.trace import SECONDS, Acme, Counts, Trace
from tests.rules.prometheus_server import backfill, prometheus
from tests.yaml_files import read_yaml

CATALOG = Catalog((Acme,))
SCRAPE = 15
PHASE = 7
"""The second of the first scrape."""
_STEP = 60
"""Seconds between two samples of the cumulative counts that the Prometheus gets."""
_WATCHED = ((SECONDS - 600, SECONDS),)
"""The span in which alerts are evaluated."""


def by_the_rules(
    traces: Sequence[Trace], folder: Path, options: Options
) -> Iterator[tuple[Trace, Status]]:
    """Yield each trace with the status that the fleet has of it, each as a service of its own."""
    names = {f"service-{number}": trace for number, trace in enumerate(traces)}
    series = [one for name, trace in names.items() for one in _raw_series(name, trace)]
    scenario = Scenario(
        name="agreement", story="", seconds=SECONDS, services=(), checks=(), watched=_WATCHED
    )
    outcome = run(
        scenario, [RuleSet(name="acme", files=_rules(options))], _queries(), series=series
    )
    assert {} == {name: n for name, n in outcome.errors.items() if n}
    (folder / "samples").write_text("".join(_lines(outcome.answers)) + "# EOF\n")
    backfill(folder / "samples", folder / "data")
    with prometheus(folder) as server:
        api = PrometheusApi(Connection(server.url))
        fleet = Fleet(api, options, clock=lambda: EPOCH + SECONDS)
        for status in fleet.statuses(CATALOG):
            yield names[status.service["service_name"]], status


def _rules(options: Options) -> Mapping[str, Any]:
    return {
        file.name: read_yaml(as_prometheus(file))
        for file in rule_files(CATALOG, options)
        if file.name.startswith(Acme.name)
    }


def _queries() -> list[Query]:
    """Return the queries of what the rules recorded: the counts all the time, the rest now."""
    course = tuple(range(SECONDS, 0, -_STEP))
    return [
        Query(name="course", expr='{__name__=~"slo:(bad|total):cumulative"}', times=course[1:]),
        Query(name="now", expr='{slo!=""}', times=(SECONDS,)),
    ]


def _lines(answers: Sequence[Answer]) -> Iterator[str]:
    for one in answers:
        labels = ",".join(f'{k}="{v}"' for k, v in one.labels.items() if k != "__name__")
        yield f"{one.labels['__name__']}{{{labels}}} {one.value!r} {EPOCH + one.at}\n"


def _raw_series(name: str, trace: Trace) -> Iterator[Series]:
    who = {"service_namespace": Acme.name, "service_name": name, "instance": f"{name}:80"}
    for metric, counts in (("acme_calls_total", trace.total), ("acme_failures_total", trace.bad)):
        times, values = _scraped(trace, counts)
        yield Series({"__name__": metric, **who}, times * 1000, values)


def scrape_times(trace: Trace) -> Counts:
    """Return the seconds at which the service was scraped."""
    times = _all_times()
    kept = np.ones(len(times), dtype=np.bool_)
    for start, stop in trace.gaps:
        kept &= (times < start) | (times >= stop)
    return times[kept]


def _all_times() -> Counts:
    return np.arange(PHASE, SECONDS + 1, SCRAPE, dtype=np.int64)


def _scraped(trace: Trace, counts: Counts) -> tuple[Counts, Any]:
    """Return the times and values of samples: counts since the last restart, stale in a gap."""
    ends = [
        (times := _all_times())[(times >= start) & (times < stop)][:1] for start, stop in trace.gaps
    ]
    times = np.sort(np.concatenate([scrape_times(trace), *ends]))
    base = np.zeros(len(times), dtype=np.int64)
    for start in trace.restarts:
        base[times >= start] = counts[start]
    values = (counts[times] - base).astype(np.float64)
    values[np.isin(times, np.concatenate([[-1], *ends]))] = STALE
    return times, values
