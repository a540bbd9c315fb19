"""Every rule and every panel on each export path: no errors, and results for the same series."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from threading import Event, Thread

import pytest

from otel_meta.cli.demo.stack_config import SPEED
from otel_meta.render.artifacts import rule_files
from otel_meta.render.options import Options
from otel_meta.render.rules.time_scale import scaled_expression
from otel_meta.repos import BUILTIN
from tests.backends.alerting_servers import Prometheus, write_fast_rules
from tests.backends.parity.comparable_labels import comparable_labels
from tests.backends.parity.export_paths import (
    PATHS,
    PUSHED,
    SCRAPED,
    SIDECAR,
    ExportPath,
    ExportPaths,
    export_paths,
)
from tests.render.dashboards.fast_prometheus import shorten_ranges
from tests.render.dashboards.rendered_dashboards import targets
from tests.waiting import poll

_CONCURRENT_QUERIES = 4
_PAUSE = 1.0
"""Seconds between two rounds of queries: series come with the rules, and not with the queries."""
_EVERY = "5s"
"""The interval of all groups: which series exist does not depend on it, but the load does."""

Queries = Mapping[str, str]
"""Expressions by their place."""
Result = frozenset[frozenset[tuple[str, str]]]
"""The labels of all series in a query result."""


def fast_rules() -> Iterator[tuple[str, str]]:
    """Yield place and fast expression of every rule."""
    for file in rule_files(BUILTIN, Options()):
        for group in file.groups:
            for number, rule in enumerate(group.rules):
                where = f"{file.name} {group.name} {number}"
                yield where, scaled_expression(rule.expr, Fraction(1, SPEED))


QUERIES: Mapping[str, Queries] = {
    "rules": dict(fast_rules()),
    "panels": {target.where: shorten_ranges(target.expr) for target in targets()},
}
WITH_RESULT = {"rules": 0.75, "panels": 0.95}
"""Smallest share of queries with a result; the rest selects events that do not happen here."""


@contextmanager
def _traffic(paths: Iterable[ExportPath]) -> Iterator[None]:
    """Record and export on each path every second, while the context is open."""
    stopping = Event()

    def repeat(path: ExportPath) -> None:
        while not stopping.wait(1):
            path.record_and_export()

    threads = [Thread(target=repeat, args=(path,), daemon=True) for path in paths]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stopping.set()
        for thread in threads:
            thread.join()


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ExportPaths]:
    """The three export paths under traffic, with the committed rules."""
    folder = tmp_path_factory.mktemp("queries")
    rules = Path(write_fast_rules(folder / "rules"))
    for path in rules.iterdir():
        path.write_text(re.sub(r"(?m)^(  interval: )\S+$", rf"\g<1>{_EVERY}", path.read_text()))
    files = {"rule_files": [f"{rules}/*.yml"]}
    with export_paths(PATHS, folder, **files) as paths, _traffic(paths.values()):
        yield paths


def results(prometheus: Prometheus, queries: Queries) -> Mapping[str, Result]:
    """Return the results of queries by place, without known differences."""
    with ThreadPoolExecutor(_CONCURRENT_QUERIES) as pool:
        found = pool.map(lambda expr: _result(prometheus, expr), queries.values())
        return dict(zip(queries, found, strict=True))


def _result(prometheus: Prometheus, expr: str) -> Result:
    return frozenset(
        frozenset(comparable_labels(sample.labels).items())
        for sample in prometheus.query(expr)
        if not math.isnan(sample.value)
    )


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("kind", QUERIES)
def test_most_queries_have_a_result(paths: ExportPaths, kind: str, path: str) -> None:
    """Most queries have a result; other queries wait for an event, such as a failure."""
    empty = dict(QUERIES[kind])

    def enough() -> bool:
        """Ask again the queries without a result."""
        for where, result in results(paths[path].prometheus, empty).items():
            if result:
                del empty[where]
        return len(empty) < (1 - WITH_RESULT[kind]) * len(QUERIES[kind])

    assert poll(enough, interval=_PAUSE), empty


@pytest.mark.parametrize("path", [SIDECAR, PUSHED])
@pytest.mark.parametrize("kind", QUERIES)
def test_queries_find_the_same_series(paths: ExportPaths, kind: str, path: str) -> None:
    """Each query finds the same series as on the scraped process, and none is an error."""
    queries = dict(QUERIES[kind])
    different: dict[str, tuple[Result, Result]] = {}

    def all_were_equal() -> bool:
        """Compare again the queries that differed, since alerts begin and end to fire."""
        expected = results(paths[SCRAPED].prometheus, queries)
        found = results(paths[path].prometheus, queries)
        different.clear()
        for where in expected:
            if expected[where] == found[where]:
                del queries[where]
            else:
                different[where] = (expected[where], found[where])
        return not different

    poll(all_were_equal, interval=_PAUSE)

    assert {} == different


@pytest.mark.parametrize("path", PATHS)
def test_no_rule_fails(paths: ExportPaths, path: str) -> None:
    """Prometheus evaluates every rule without a failure."""
    prometheus = paths[path].prometheus

    assert 0 == prometheus.self_metric("prometheus_rule_evaluation_failures_total")
    assert len(QUERIES["rules"]) == prometheus.self_metric("prometheus_rule_group_rules")
