"""Rules over a day or more of raw series, and the time of one rule."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final

from otel_meta.model import Duration, MetaRepo
from otel_meta.model.measure import Latest, Measure, Quantile, RelativeChange, Share
from otel_meta.model.selector import Selector
from otel_meta.render.rules.measure_promql import expression
from otel_meta.repos import BUILTIN, Nebula

from .backend import prometheus
from .fleet import Service, raw
from .history import SCRAPE, UNCOMPACTED, Timed, write_raw
from .labels import label_sets, lines_each

LONG: Final = Duration("1d")
_READ: Final = Nebula.api_latency_p99
_BUCKETS: Final = f"{Nebula.http_requests.prometheus_name}_bucket"


@dataclass(frozen=True)
class Reading:
    """The series of one process in each evaluation of a rule."""

    repo: str
    rule: str
    over: Duration
    series: int

    @property
    def samples(self) -> int:
        """The number of samples, with a scrape every 15 seconds."""
        return self.series * self.over.seconds // SCRAPE


def readings() -> Iterator[Reading]:
    """Yield each rule that reads a day or more of raw series."""
    for repo in BUILTIN:
        for name, measure in _measures(repo):
            over = _span(measure)
            if over is not None and over >= LONG:
                yield Reading(repo.name, name, over, _series(measure))


def _measures(repo: type[MetaRepo]) -> Iterator[tuple[str, Measure]]:
    yield from ((one.name, one.measure) for one in repo.recordings.values())
    yield from ((one.name, one.measure) for one in repo.alerts.values())


def _span(measure: Measure) -> Duration | None:
    inner: Any = measure.of if isinstance(measure, RelativeChange) else measure
    return None if isinstance(inner, Latest) else inner.over


def _series(measure: Measure) -> int:
    match measure:
        case RelativeChange():
            return 2 * _series(measure.of)  # now, and then
        case Share():
            return 2 * _matched(measure.whole) + _matched(measure.part)  # as the rule is written
        case Quantile():
            return _matched(measure.source) * (lines_each(measure.source.instrument) - 2)
        case _:
            return _matched(measure.source)


def _matched(match: Selector) -> int:
    holds = match.predicate()
    return sum(holds(tuple(labels.values())) for labels in label_sets(match.instrument))


@dataclass(frozen=True)
class Timing:
    """One evaluation of a percentile over seven days.

    Attributes:
        series: number of series.
        samples: number of samples.
        seconds: the fastest of three evaluations.
        peak: maximal number of samples in memory.
    """

    series: int
    samples: int
    seconds: float
    peak: int


def timing_of(series: int, days: float, folder: Path) -> Timing:
    """Measure the rule over a number of buckets of one service."""
    end = int(time.time()) // 60 * 60
    write_raw(_buckets(series, range(end - int(days * 86_400), end, SCRAPE)), folder)
    query = expression(_READ.measure, Nebula.name)
    with prometheus(folder, "global: {scrape_interval: 1h}", *UNCOMPACTED) as served:
        stats = [served.query(query, end - 1)["stats"] for _ in range(3)]
    samples = stats[0]["samples"]
    return Timing(
        series=series,
        samples=samples["totalQueryableSamples"],
        seconds=min(one["timings"]["evalTotalTime"] for one in stats),
        peak=samples["peakSamples"],
    )


def _buckets(count: int, times: range) -> Iterator[Timed]:
    buckets = (one for one in raw(Service(Nebula, 0)) if one.head.startswith(_BUCKETS))
    yield from ((one, times) for one in islice(buckets, count))
