"""Every rule and every panel on each of the three ways: no errors, and answers to the same."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from fractions import Fraction

import pytest

from otel_meta.cli.demo.stack_config import SPEED
from otel_meta.render.artifacts import rule_files
from otel_meta.render.links import Links
from otel_meta.render.rules.time_scale import scaled_expression
from otel_meta.repos import BUILTIN
from tests.backends.parity.known import plain
from tests.backends.parity.ways import PUSHED, SCRAPED, SIDECAR, WAYS, Way
from tests.backends.servers import Prometheus, rule_folder
from tests.render.dashboards.fast_prometheus import shorten_ranges
from tests.render.dashboards.rendered_dashboards import targets

SECONDS = 15
PATIENCE = 60.0

Answer = frozenset[frozenset[tuple[str, str]]]


def rules() -> Iterator[tuple[str, str]]:
    """The expression of every rule, in a hurry, and where it stands."""
    for file in rule_files(BUILTIN, Links()):
        for group in file.groups:
            for number, rule in enumerate(group.rules):
                where = f"{file.name} {group.name} {number}"
                yield where, scaled_expression(rule.expr, Fraction(1, SPEED))


QUERIES = {
    "rules": dict(rules()),
    "panels": {target.where: shorten_ranges(target.expr) for target in targets()},
}


@pytest.fixture(scope="module")
def ways(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, Way]]:
    """The three, with the rules, after a while of work on each."""
    folder = tmp_path_factory.mktemp("queries")
    files = {"rule_files": [f"{rule_folder(folder / 'rules')}/*.yml"]}
    with ExitStack() as stack:
        ways = {n: stack.enter_context(way(folder / n, **files)) for n, way in WAYS.items()}
        for _ in range(SECONDS):
            began = time.monotonic()
            for way in ways.values():
                way.work()
            time.sleep(max(0.0, 1 - (time.monotonic() - began)))
        yield ways


def answer(prometheus: Prometheus, expr: str) -> Answer:
    """The series that a query finds, but for what is known to differ."""
    found = prometheus.ask(expr)
    return frozenset(frozenset(plain(s.labels).items()) for s in found if not math.isnan(s.value))


def different(ways: Mapping[str, Way], way: str, queries: Mapping[str, str]) -> list[str]:
    """Queries that find something else than where the process is scraped."""
    here, there = ways[SCRAPED].prometheus, ways[way].prometheus
    return [where for where, expr in queries.items() if answer(here, expr) != answer(there, expr)]


@pytest.mark.parametrize("way", [SIDECAR, PUSHED])
@pytest.mark.parametrize("kind", QUERIES)
def test_same_answers(ways: Mapping[str, Way], kind: str, way: str) -> None:
    """Each finds the same series as where the process is scraped, and none is an error."""
    deadline = time.monotonic() + PATIENCE
    left = QUERIES[kind]
    while (names := different(ways, way, left)) and time.monotonic() < deadline:
        left = {name: left[name] for name in names}  # what has just begun or ended to fire
        for each in ways.values():
            each.work()
        time.sleep(1)

    assert [] == names


@pytest.mark.parametrize(("kind", "least"), [("rules", 0.75), ("panels", 0.95)])
def test_answers(ways: Mapping[str, Way], kind: str, least: float) -> None:
    """Most find something; what does not waits for a silence, or for what is not so."""
    found = [bool(answer(ways[SCRAPED].prometheus, expr)) for expr in QUERIES[kind].values()]

    assert least * len(found) < sum(found)


@pytest.mark.parametrize("way", WAYS)
def test_no_failed_rule(ways: Mapping[str, Way], way: str) -> None:
    """Prometheus evaluates every rule without failure, and none too late."""
    prometheus = ways[way].prometheus

    assert 0 == prometheus.own("prometheus_rule_evaluation_failures_total")
    assert len(QUERIES["rules"]) == prometheus.own("prometheus_rule_group_rules")
