"""The rules in VictoriaMetrics' vmalert: a second engine, with a query language of its own.

Two services a SLO, one that burns nine tenths of its events and one that keeps its promise, in both
engines. What they record is compared, and what MetricsQL counts otherwise is stated.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from math import isclose
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from otel_meta.model import Slo
from otel_meta.render.rules import series_names as series
from tests.backends.engines import (
    EVALUATION,
    SCRAPE,
    Answer,
    Engine,
    Span,
    VictoriaMetrics,
    backfill,
    layers,
    prometheus,
    replay,
    vmalert,
)
from tests.conftest import wait_until
from tests.rules.committed_rules import Groups, slos
from tests.rules.raw_series import Flow, raw_series

SPAN = Span(1_767_225_600, 1_767_225_600 + 100 * 60)
TIMES = SPAN.times(SCRAPE)
SETTLED = Span(SPAN.start + 11 * 60, SPAN.end)
"""From when on every window of five minutes, and every average of them, is full."""
LATE = SPAN.start + 3600
"""When some counters begin and others end."""
LAYERS = 3
"""Ratios are in the third; what is made of them is arithmetic."""

BOUND = {series.BAD: 0.03, series.TOTAL: 0.03}
RATIO_BOUND = 0.005
"""How far apart the engines are: one extrapolates an increase to the ends of its window, the other
takes the last sample before it. Both parts of a ratio are taken alike."""


class Engines(NamedTuple):
    """Both, with the same past."""

    prometheus: Engine
    victoria: VictoriaMetrics


# ----------------------------------------------------------------------------------------- the past


def _flow(share: float) -> Flow:
    """Events of each scrape, never as many as before: 100 to 160, and this share of them bad."""
    totals = (100.0 + 10 * (n * 5 % 7) for n in range(len(TIMES) - 1))
    return [(round(total * share * 64) / 64, total) for total in totals]


def _shares(slo: Slo) -> dict[str, float]:
    kept = float(slo.objective.budget) / 4
    return {_burning(slo): 0.9, _healthy(slo): kept}


def _burning(slo: Slo) -> str:
    return f"{slo.name}-burns"


def _healthy(slo: Slo) -> str:
    return f"{slo.name}-is-well"


ODD = {"odd_total": "5+2x{last}"}
"""A counter that first appears at 5, an hour in."""
ENDING = {"odd_gauge": "1x{last}"}
"""A gauge whose last sample is an hour in."""
BEGINS, ENDS = range(LATE, SPAN.end + 1, SCRAPE), range(SPAN.start, LATE + 1, SCRAPE)


# ------------------------------------------------------------------------------------- the engines


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rule files as ``--format vmalert`` writes them."""
    folder = tmp_path_factory.mktemp("generated")
    command = [sys.executable, "-m", "otel_meta", "generate", "--format", "vmalert"]
    subprocess.run(
        [*command, "--out", str(folder)], check=True, stdout=subprocess.DEVNULL, timeout=60
    )
    return folder / "rules"


@pytest.fixture(scope="module")
def engines(rules: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engines]:
    """Both engines, with what the rules record of the same past; alerts in one of them."""
    folder = tmp_path_factory.mktemp("engines")
    recording = layers(_groups(rules, "recording"), folder)[:LAYERS]
    (folder / "prometheus").mkdir()
    (folder / "victoria").mkdir()
    with VictoriaMetrics.running(folder / "victoria") as victoria:
        for past, times in _pasts():
            backfill(past, times, folder / "prometheus")
            victoria.take(past, times)
        for layer in recording:
            replay(layer, SPAN, folder / "prometheus")
            victoria.replay(layer, SPAN)
        victoria.replay(_alerts(rules, folder), SPAN)
        with prometheus(folder / "prometheus") as served:
            yield Engines(served, victoria)


def _pasts() -> Iterator[tuple[Mapping[str, str], range]]:
    services: dict[str, str] = {}
    for repo, slo in slos():
        for name, share in _shares(slo).items():
            services |= raw_series(repo, slo, _flow(share), name)
    yield services, TIMES
    for odd, times in ((ODD, BEGINS), (ENDING, ENDS)):
        yield {name: text.format(last=len(times) - 1) for name, text in odd.items()}, times


def _groups(rules: Path, kind: str) -> Groups:
    files = sorted(rules.glob(f"*.{kind}.yml"))
    return [group for path in files for group in yaml.safe_load(path.read_text())["groups"]]


def _alerts(rules: Path, folder: Path) -> Path:
    path = folder / "alerts.yml"
    path.write_text(yaml.safe_dump({"groups": _groups(rules, "alerting")}))
    return path


# ------------------------------------------------------------------------------------------- tests


class TestFiles:
    def test_accepted(self, rules: Path) -> None:
        """Vmalert takes every file that is generated for it, every field and expression."""
        done = vmalert(f"-rule={rules}/*.yml", "-dryRun")

        assert 0 == done.returncode, done.stderr

    @pytest.mark.parametrize(
        ("right", "wrong", "said"),
        [
            ("interval: 1m", "query_offset: 1m", "unknown fields in group"),
            ("expr: vector(1)", "expr: vector(1", "bad MetricsQL expr"),
        ],
        ids=["unknown field", "broken expression"],
    )
    def test_refused(self, right: str, wrong: str, said: str, rules: Path, tmp_path: Path) -> None:
        """The same check refuses a field that only Prometheus has, and what does not parse."""
        text = (rules / "cross.alerting.yml").read_text().replace(right, wrong)
        (tmp_path / "wrong.yml").write_text(text)
        done = vmalert(f"-rule={tmp_path}/wrong.yml", "-dryRun")

        assert 0 != done.returncode
        assert said in done.stderr


SLOS = [slo for _, slo in slos()]


@pytest.mark.parametrize("slo", SLOS, ids=lambda slo: slo.name)
class TestAlerts:
    def test_pages(self, slo: Slo, engines: Engines) -> None:
        """A service that burns nine tenths pages, from its first minutes to the end."""
        (course,) = _burns_fast(engines.victoria, slo, _burning(slo)).values()

        assert min(course) <= SETTLED.start
        assert SPAN.end == max(course)

    def test_silent(self, slo: Slo, engines: Engines) -> None:
        """A service that spends a quarter of its budget pages nobody."""
        assert {} == _burns_fast(engines.victoria, slo, _healthy(slo))

    def test_at_once(self, slo: Slo, rules: Path, engines: Engines) -> None:
        """Asked as a running vmalert asks, both engines name the same services."""
        (expr,) = (
            rule["expr"]
            for group in _groups(rules, "alerting")
            if group["name"] == f"{slo.name}-alerts"
            for rule in group["rules"]
            if rule["alert"] == "SloErrorBudgetBurnFast"
        )
        prometheus, victoria = (engine.at(expr, SPAN.end) for engine in engines)

        assert _burning(slo) in "".join(prometheus)
        assert prometheus.keys() == victoria.keys()


def _burns_fast(victoria: Engine, slo: Slo, service: str) -> Answer:
    labels = f'alertname="SloErrorBudgetBurnFast",slo="{slo.name}",service_name="{service}"'
    return victoria.course(f'ALERTS{{{labels},severity="page",alertstate="firing"}}', SPAN)


@pytest.mark.parametrize("slo", SLOS, ids=lambda slo: slo.name)
class TestRecordings:
    def test_agree(self, slo: Slo, engines: Engines) -> None:
        """Each recorded increase and ratio is the same in both engines, within its bound."""
        apart = {
            f"{name} at {at - SPAN.start} s: {ours!r} and {theirs!r}"
            for name in (series.TOTAL, series.BAD, *map(series.error_ratio, slo.burn_lookbacks()))
            for at, ours, theirs in _pairs(engines, f'{name}{{slo="{slo.name}"}}')
            if not isclose(ours, theirs, rel_tol=BOUND.get(name, RATIO_BOUND), abs_tol=1e-9)
        }

        assert set() == apart


def _pairs(engines: Engines, selected: str) -> Iterator[tuple[int, float, float]]:
    """What both recorded, at each evaluation once windows are full."""
    expr = f"last_over_time({selected}[{EVALUATION - 1}s])"
    ours, theirs = (engine.course(expr, SETTLED) for engine in engines)
    assert ours
    assert ours.keys() == theirs.keys()
    for labels, course in ours.items():
        assert course.keys() == theirs[labels].keys()
        yield from ((at, value, theirs[labels][at]) for at, value in course.items())


class TestDifferences:
    """What MetricsQL counts otherwise, as docs/scale.md has it."""

    def test_increase(self, engines: Engines) -> None:
        """VictoriaMetrics counts what happened between two scrapes; Prometheus extrapolates it."""
        at = SPAN.start + 20 * 60
        expr = f'{series.TOTAL}{{slo="{SLOS[0].name}",service_name="{_healthy(SLOS[0])}"}}'
        happened = sum(total for _, total in _flow(0)[60:80])
        ((prometheus,), (victoria,)) = (engine.at(expr, at).values() for engine in engines)

        assert happened == victoria
        assert happened != prometheus
        assert isclose(happened, prometheus, rel_tol=BOUND[series.TOTAL])

    def test_first_value(self, engines: Engines) -> None:
        """A counter that appears at 5 has counted 5 for VictoriaMetrics, nothing for Prometheus."""
        prometheus, victoria = _both(engines, "increase(odd_total[5m])", LATE)
        assert [] == prometheus
        assert [5.0] == victoria

        (prometheus,), (victoria,) = _both(engines, "increase(odd_total[5m])", LATE + 60)
        assert 9.0 == prometheus  # 8, and half a step before the first
        assert 13.0 == victoria

    def test_rate_of_the_young(self, engines: Engines) -> None:
        """A rate is over the time that a counter has existed, or over the whole window."""
        (prometheus,), (victoria,) = _both(engines, "rate(odd_total[1h])", LATE + 600)

        assert isclose(2 / 15, victoria)
        assert isclose(2 / 15 * 600 / 3600, prometheus, rel_tol=0.02)

    def test_end(self, engines: Engines) -> None:
        """Without a stale marker, the last value ends at once, or lives on for five minutes."""
        slices = "count_over_time(odd_gauge[5m:30s])"

        assert [[10.0], [5.0]] == _both(engines, slices, LATE + 150)

    def test_chain(self, engines: Engines, tmp_path: Path) -> None:
        """A rule reads what the one before it recorded an evaluation ago, not just now."""
        rules = tmp_path / "chain.yml"
        rules.write_text(CHAIN)
        with engines.victoria.evaluating(rules):
            wait_until(lambda: time.sleep(0.5) or engines.victoria.stored("chain_second"))
        recorded = engines.victoria.stored("chain_second")

        assert {CHAIN_SECONDS} == {at - value for at, value in recorded.items()}


CHAIN_SECONDS = 5
CHAIN = f"""
groups:
- name: chain
  interval: {CHAIN_SECONDS}s
  rules:
  - {{record: chain_first, expr: vector(time())}}
  - {{record: chain_second, expr: chain_first}}
"""


def _both(engines: Engines, expr: str, at: int) -> list[list[float]]:
    return [list(engine.at(expr, at).values()) for engine in engines]
