"""The number of series of a fleet, computed from the catalogue without a server.

``python benchmarks/series_count.py`` prints the tables of docs/scale.md. ``--open http_route=100``
sets the number of values of an open label, and ``--processes`` the processes of a service.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

from scale.labels import OPEN, Counts, label_sets, lines_each, series_of
from scale.table import DOCUMENT, put, table

from otel_meta.model import MetaRepo
from otel_meta.model.measure import Measure, RelativeChange, Share
from otel_meta.model.selector import Selector
from otel_meta.render.options import Options
from otel_meta.render.rules import series_names as series
from otel_meta.render.rules.measures.measure_promql import layers_of
from otel_meta.render.rules.recording_rules import alert_records, slo_records
from otel_meta.repos import BUILTIN

OWN: Final = 18
"""Series about the process: ``target_info``, ``otel_meta_up``, and the collectors of
prometheus_client for Python and for a Linux process."""
OF_EACH: Final = 2
"""Series about each instrument: the number and the limit of its series."""
SCRAPED: Final = 5
"""Series that Prometheus adds to each target: ``up`` and four of ``scrape_*``."""
PROCESSES: Final = 3
SERVICES: Final = (10, 100, 1_000)


def series_per_process(repo: type[MetaRepo], counts: Counts = OPEN) -> int:
    """Return the number of series of one process in Prometheus."""
    return exposed(repo, counts) + SCRAPED


def exposed(repo: type[MetaRepo], counts: Counts = OPEN) -> int:
    """Return the number of exposed series of one process."""
    return series_of(repo, counts) + OWN + OF_EACH * len(repo.instruments)


def recorded(repo: type[MetaRepo], counts: Counts = OPEN) -> int:
    """Return the number of recorded series of one service."""
    measures = [recording.measure for recording in repo.recordings.values()]
    own = sum(_groups(measure, counts) for measure in measures)
    measures += [alert.measure for alert in repo.alerts.values()]
    layers = {name: n for measure in measures for name, n in _layers(repo, measure, counts)}
    return of_slos(repo) + own + sum(layers.values()) + len(_OVERVIEW)


def _layers(repo: type[MetaRepo], measure: Measure, counts: Counts) -> Iterator[tuple[str, int]]:
    """Yield the layers that a measure reads, and the number of series of each."""
    for layer in layers_of(measure, repo.name):
        buckets = lines_each(_source(measure).instrument) - 2 if "_bucket:" in layer.record else 1
        yield layer.record, buckets * _groups(measure, counts)


def of_slos(repo: type[MetaRepo]) -> int:
    """Return the number of recorded series of one service for its SLOs."""
    options = Options()
    return sum(
        sum(1 for _ in (*alert_records(repo, slo, options), *slo_records(repo, slo, options)))
        for slo in repo.slos.values()
    )


def average(count: int, counts: Counts = OPEN, processes: int = PROCESSES) -> int:
    """Return the series of a number of services, spread evenly over all meta-repositories."""
    repos = tuple(BUILTIN)
    each = sum(
        processes * series_per_process(repo, counts) + recorded(repo, counts) for repo in repos
    )
    return round(count * each / len(repos))


def rows(counts: Counts = OPEN, processes: int = PROCESSES) -> Iterator[tuple[object, ...]]:
    """Yield the rows for each meta-repository, and for an even spread over all."""
    for repo in BUILTIN:
        one, kept = series_per_process(repo, counts), recorded(repo, counts)
        service = processes * one + kept
        yield repo.name, one, kept, service, *(n * service for n in SERVICES)
    spread = (average(n, counts, processes) for n in SERVICES)
    yield "spread evenly over all", "", "", "", *spread


_OVERVIEW: Final = (
    series.COMPLIANCE,
    series.VIOLATIONS,
    series.VIOLATIONS_SHARE,
    series.PROCESSES,
)


def _groups(measure: Measure, counts: Counts) -> int:
    """Return the number of series of one service after an aggregation."""
    kept = {
        tuple(labels.get(name, "") for name in measure.by)
        for labels in label_sets(_source(measure).instrument, counts)
    }
    return len(kept)


def _source(measure: Measure) -> Selector:
    of: Any = measure.of if isinstance(measure, RelativeChange) else measure
    source: Selector = of.whole if isinstance(of, Share) else of.source
    return source


def across() -> Iterator[tuple[object, ...]]:
    """Yield the rules that aggregate over services, which a shard cannot evaluate alone."""
    for repo in BUILTIN:
        measures = {one.name: one.measure for one in repo.recordings.values()}
        measures |= {one.name: one.measure for one in repo.alerts.values()}
        for name, measure in measures.items():
            if series.SERVICE not in measure.by:
                yield f"`{name}`", ", ".join(measure.by)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Count the series of services from the catalogue.")
    parser.add_argument("--open", action="append", default=[], type=_count, metavar="LABEL=N")
    parser.add_argument("--processes", type=int, default=PROCESSES, metavar="N")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/scale.md")
    return parser.parse_args()


def _count(text: str) -> tuple[str, int]:
    label, _, number = text.partition("=")
    if label not in OPEN:
        raise argparse.ArgumentTypeError(f"no open label is called {label!r}")
    return label, int(number)


def open_labels(counts: Mapping[str, int]) -> str:
    """Return the number of values of each open label, as one line."""
    return ", ".join(f"`{label}` {count}" for label, count in sorted(counts.items()))


def computed(counts: Counts = OPEN, processes: int = PROCESSES) -> Iterator[tuple[str, str]]:
    """Yield each table with its name in docs/scale.md."""
    head = ("meta-repository", "a process", "recorded", "a service")
    many = (f"{n:,} services" for n in SERVICES)
    yield "series_count", table((*head, *many), rows(counts, processes))
    yield "open_labels", open_labels(counts)
    yield "across_services", table(("recording or alert", "by"), across())


def main() -> None:
    """Print the tables."""
    options = _options()
    counts = MappingProxyType({**OPEN, **dict(options.open)})
    for name, text in computed(counts, options.processes):
        print(f"{text}\n")
        if options.write:
            put(DOCUMENT, name, text)


if __name__ == "__main__":
    main()
