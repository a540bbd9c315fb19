"""The rules in vmalert and VictoriaMetrics: a second engine with a query language, MetricsQL.

Both engines have two services for each SLO: a service with nine tenths bad events, and a service
within its SLO. The tests compare the recorded series, and show the differences of MetricsQL.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from itertools import chain
from math import isclose
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from otel_meta.model import MetaRepo, Slo
from otel_meta.render.rules import series_names
from otel_meta.render.rules.intervals import (
    INCREASE_WINDOW,
    RECOUNT_SPAN,
    alert_spans,
    cumulative_longs,
)
from tests.backends.query_engines import (
    EVALUATION_INTERVAL,
    SCRAPE_INTERVAL,
    QueryEngine,
    RangeResult,
    TimeRange,
    VictoriaMetrics,
    backfill,
    prometheus,
    replay,
    vmalert,
)
from tests.backends.rule_layers import write_layers
from tests.rules.committed_rules import Groups, slos
from tests.rules.raw_series import Flow, identity, label_text, raw_series
from tests.waiting import wait_until
from tests.yaml_files import read_yaml

SPAN = TimeRange(1_767_225_600, 1_767_225_600 + 100 * 60)
TIMES = SPAN.times(SCRAPE_INTERVAL)
FULL_WINDOWS = TimeRange(SPAN.start + 6 * 60, SPAN.end)
"""The range in which every window of five minutes is full."""
LATE = SPAN.start + 3600
"""The start of some counters, and the end of others."""
EARLIER = range(SPAN.start - 36 * 3600, SPAN.start - 12 * 3600 + 1, 300)
"""The time in which the burning services had counts, before a hole of twelve hours."""
FLAT = 72
"""Samples at the end of a service's counts that repeat the last: six hours."""
RISING = len(EARLIER) - FLAT - 1
EARLIER_TOTAL, EARLIER_BAD = 8.0, 2.0
"""Events between two samples of the rising part."""
_STEPS = 2**14
"""Events are counted in steps of a power of two, which floats add exactly."""
LAYERS = 5
"""Ratios over long spans are in the fifth layer; later layers do arithmetic with ratios.

A replay does not read its own results, and the cumulative counts need none in their first hours:
they add the count over six hours to the value before, which is a value of `EARLIER`."""

COUNT_BOUND, RATIO_BOUND = 0.03, 0.005
"""Allowed relative difference between the engines. Prometheus extrapolates an increase to the ends
of its window; VictoriaMetrics starts at the last sample before the window. Within an engine, the
difference is the same for both parts of a ratio."""


class Engines(NamedTuple):
    """Both engines with the same history."""

    prometheus: QueryEngine
    victoria: VictoriaMetrics


# -------------------------------------------------------------------------------------- the history


def _flow(share: float) -> Flow:
    """Return bad and total events for each scrape: 100 to 160 events, in a changing number."""
    totals = (100.0 + 10 * (n * 5 % 7) for n in range(len(TIMES) - 1))
    return [(round(total * share * _STEPS) / _STEPS, total) for total in totals]


def _shares(slo: Slo) -> dict[str, float]:
    return {_burning(slo): 0.9, _healthy(slo): float(slo.objective.budget) / 4}


def _burning(slo: Slo) -> str:
    return f"{slo.name}-burns"


def _healthy(slo: Slo) -> str:
    return f"{slo.name}-is-healthy"


ODD = {"odd_total": "5+2x{last}"}
"""A counter whose first value is 5, an hour after the start."""
ENDING = {"odd_gauge": "1x{last}"}
"""A gauge whose last sample is an hour after the start."""
BEGINS, ENDS = (
    range(LATE, SPAN.end + 1, SCRAPE_INTERVAL),
    range(SPAN.start, LATE + 1, SCRAPE_INTERVAL),
)


# ------------------------------------------------------------------------------------- the engines


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The rule files of ``otel-meta generate --format vmalert``."""
    folder = tmp_path_factory.mktemp("generated")
    command = [sys.executable, "-m", "otel_meta", "generate", "--format", "vmalert"]
    subprocess.run(
        [*command, "--out", str(folder)], check=True, stdout=subprocess.DEVNULL, timeout=60
    )
    return folder / "rules"


@pytest.fixture(scope="module")
def engines(rules: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engines]:
    """Both engines with the results of all recording rules; VictoriaMetrics also has alerts."""
    folder = tmp_path_factory.mktemp("engines")
    recording = write_layers(_groups_with(rules, "record"), folder)[:LAYERS]
    (folder / "prometheus").mkdir()
    (folder / "victoria").mkdir()
    with VictoriaMetrics.running(folder / "victoria") as victoria:
        for history, times in _histories():
            backfill(history, times, folder / "prometheus")
            victoria.import_series(history, times)
        for layer in recording:
            replay(layer, SPAN, folder / "prometheus")
            victoria.replay(layer, SPAN)
        victoria.replay(_alerts(rules, folder), SPAN)
        with prometheus(folder / "prometheus") as engine:
            yield Engines(engine, victoria)


def _histories() -> Iterator[tuple[Mapping[str, str], range]]:
    services: dict[str, str] = {}
    for repo, slo in slos():
        for name, share in _shares(slo).items():
            services |= raw_series(repo, slo, _flow(share), name)
    yield services, TIMES
    yield dict(chain.from_iterable(_earlier_counts(repo, slo) for repo, slo in slos())), EARLIER
    for odd, times in ((ODD, BEGINS), (ENDING, ENDS)):
        yield {name: text.format(last=len(times) - 1) for name, text in odd.items()}, times


def _earlier_counts(repo: type[MetaRepo], slo: Slo) -> Iterator[tuple[str, str]]:
    labels = label_text(identity(repo, _burning(slo)) | {series_names.SLO: slo.name})
    for name, step in (
        (series_names.TOTAL_CUMULATIVE, EARLIER_TOTAL),
        (series_names.BAD_CUMULATIVE, EARLIER_BAD),
    ):
        yield f"{name}{labels}", f"0+{step}x{RISING} {step * RISING}x{FLAT - 1}"


def _groups_with(rules: Path, kind: str) -> Groups:
    """Return the groups of all files with their rules of a kind, ``record`` or ``alert``."""
    files = sorted(rules.glob("*.yml"))
    groups = [group for path in files for group in read_yaml(path.read_text())["groups"]]
    return [group | {"rules": [r for r in group["rules"] if kind in r]} for group in groups]


def _alerts(rules: Path, folder: Path) -> Path:
    path = folder / "alerts.yml"
    groups = [group for group in _groups_with(rules, "alert") if group["rules"]]
    path.write_text(yaml.safe_dump({"groups": groups}))
    return path


# ------------------------------------------------------------------------------------------- tests


class TestFiles:
    def test_vmalert_accepts_every_generated_file(self, rules: Path) -> None:
        """Vmalert accepts every field and expression of every file generated for it."""
        done = vmalert(f"-rule={rules}/*.yml", "-dryRun")

        assert 0 == done.returncode, done.stderr

    @pytest.mark.parametrize(
        ("right", "wrong", "error"),
        [
            ("interval: 1m", "query_offset: 1m", "unknown fields in group"),
            ("expr: vector(1)", "expr: vector(1", "bad MetricsQL expr"),
        ],
        ids=["unknown field", "broken expression"],
    )
    def test_vmalert_refuses_a_wrong_file(
        self, right: str, wrong: str, error: str, rules: Path, tmp_path: Path
    ) -> None:
        """Vmalert refuses a field of Prometheus alone, and an expression with a syntax error."""
        text = (rules / "cross.alerting.yml").read_text().replace(right, wrong)
        (tmp_path / "wrong.yml").write_text(text)
        done = vmalert(f"-rule={tmp_path}/wrong.yml", "-dryRun")

        assert 0 != done.returncode
        assert error in done.stderr


SLOS = [slo for _, slo in slos()]


@pytest.mark.parametrize("slo", SLOS, ids=lambda slo: slo.name)
class TestAlerts:
    def test_burning_service_pages_until_the_end(self, slo: Slo, engines: Engines) -> None:
        """A service with nine tenths bad events pages from its first minutes to the end."""
        (values,) = _pages(engines.victoria, slo, _burning(slo)).values()

        assert min(values) <= FULL_WINDOWS.start
        assert SPAN.end == max(values)

    def test_healthy_service_does_not_page(self, slo: Slo, engines: Engines) -> None:
        """A service with a quarter of the allowed bad events does not page."""
        assert {} == _pages(engines.victoria, slo, _healthy(slo))

    def test_engines_page_for_the_same_services(
        self, slo: Slo, rules: Path, engines: Engines
    ) -> None:
        """Both engines return the same services for an alert's expression in vmalert's query."""
        (expr,) = (
            rule["expr"]
            for group in _groups_with(rules, "alert")
            if group["name"] == f"{slo.name}-alerts"
            for rule in group["rules"]
            if rule["alert"] == "SloErrorBudgetBurnFast"
        )
        prometheus, victoria = (engine.query(expr, SPAN.end) for engine in engines)

        assert _burning(slo) in "".join(prometheus)
        assert prometheus.keys() == victoria.keys()


def _pages(victoria: QueryEngine, slo: Slo, service: str) -> RangeResult:
    labels = f'alertname="SloErrorBudgetBurnFast",slo="{slo.name}",service_name="{service}"'
    return victoria.query_range(f'ALERTS{{{labels},severity="page",alertstate="firing"}}', SPAN)


@pytest.mark.parametrize("slo", SLOS, ids=lambda slo: slo.name)
class TestRecordings:
    def test_engines_record_the_same_values(self, slo: Slo, engines: Engines) -> None:
        """Each recorded increase and ratio is the same in both engines, within its bound."""
        different = {
            f"{name} at {at - SPAN.start} s: {prometheus!r} and {victoria!r}"
            for name, bound in _bounds(slo)
            for at, prometheus, victoria in _pairs(engines, f'{name}{{slo="{slo.name}"}}')
            if not isclose(prometheus, victoria, rel_tol=bound, abs_tol=1e-9)
        }

        assert set() == different

    def test_service_continues_with_its_counts_after_a_hole(
        self, slo: Slo, engines: Engines
    ) -> None:
        """The count of a service that was away contains its last value before the hole."""
        labels = f'{{slo="{slo.name}",service_name="{_burning(slo)}"}}'
        for name, recounted, step in (
            (series_names.TOTAL_CUMULATIVE, series_names.total(RECOUNT_SPAN), EARLIER_TOTAL),
            (series_names.BAD_CUMULATIVE, series_names.bad(RECOUNT_SPAN), EARLIER_BAD),
        ):
            before = f"{name}{labels} - on (service_name) {recounted}{labels}"
            prometheus, victoria = _values(engines, before, SPAN.end)

            assert pytest.approx([step * RISING]) == prometheus
            assert pytest.approx([step * RISING]) == victoria


def _bounds(slo: Slo) -> Iterator[tuple[str, float]]:
    """Yield the names of the recorded counts and ratios of an SLO, with their bounds."""
    for span in {RECOUNT_SPAN, *alert_spans(slo)}:
        yield series_names.total(span), COUNT_BOUND
    for span in {RECOUNT_SPAN, *alert_spans(slo), *cumulative_longs(slo)}:
        yield series_names.bad(span), COUNT_BOUND
    for span in {RECOUNT_SPAN, INCREASE_WINDOW, *slo.burn_lookbacks()}:
        yield series_names.error_ratio(span), RATIO_BOUND
    yield series_names.PERIOD_BAD, COUNT_BOUND
    yield series_names.TOTAL_CUMULATIVE, COUNT_BOUND
    yield series_names.BAD_CUMULATIVE, COUNT_BOUND
    yield series_names.PERIOD_ERROR_RATIO, RATIO_BOUND


def _pairs(engines: Engines, selector: str) -> Iterator[tuple[int, float, float]]:
    """Yield the recorded values of both engines for each evaluation with full windows.

    A counter has an increase of 0 at its first sample in VictoriaMetrics, and a minute later in
    Prometheus. A count of an hour ago begins there at `LATE`.
    """
    expr = f"last_over_time({selector}[{EVALUATION_INTERVAL - 1}s])"
    prometheus, victoria = (engine.query_range(expr, FULL_WINDOWS) for engine in engines)
    assert prometheus
    assert prometheus.keys() == victoria.keys()
    for labels, values in prometheus.items():
        assert values.keys() ^ victoria[labels].keys() <= {LATE}
        yield from ((at, value, victoria[labels][at]) for at, value in values.items())


class TestDifferences:
    """The differences between MetricsQL and PromQL in docs/scale.md."""

    def test_increase_is_exact_or_extrapolated(self, engines: Engines) -> None:
        """VictoriaMetrics counts the events between two scrapes; Prometheus extrapolates them."""
        at = SPAN.start + 20 * 60
        labels = f'slo="{SLOS[0].name}",service_name="{_healthy(SLOS[0])}"'
        events = sum(total for _, total in _flow(0)[60:80])
        prometheus, victoria = _values(engines, f"{series_names.TOTAL}{{{labels}}}", at)

        assert [events] == victoria
        assert [events] != prometheus
        assert isclose(events, *prometheus, rel_tol=COUNT_BOUND)

    def test_first_value_of_a_counter_is_an_increase_or_not(self, engines: Engines) -> None:
        """A first value of 5 is an increase of 5 for VictoriaMetrics, and of 0 for Prometheus."""
        increase = "increase(odd_total[5m])"

        assert ([], [5.0]) == _values(engines, increase, LATE)
        # In Prometheus, 8 of the later samples and half a step before the first.
        assert ([9.0], [13.0]) == _values(engines, increase, LATE + 60)

    def test_rate_of_a_new_counter(self, engines: Engines) -> None:
        """VictoriaMetrics divides by the age of a counter, and Prometheus by the whole window."""
        prometheus, victoria = _values(engines, "rate(odd_total[1h])", LATE + 600)

        assert isclose(2 / 15, *victoria)
        assert isclose(2 / 15 * 600 / 3600, *prometheus, rel_tol=0.02)

    def test_end_of_a_series_without_a_stale_marker(self, engines: Engines) -> None:
        """Without a stale marker, Prometheus repeats the last value for five more minutes."""
        slices = "count_over_time(odd_gauge[5m:30s])"

        assert ([10.0], [5.0]) == _values(engines, slices, LATE + 150)

    def test_rule_reads_the_preceding_evaluation(self, engines: Engines, tmp_path: Path) -> None:
        """In vmalert, a rule reads the preceding rule's result of one evaluation ago."""
        rules = tmp_path / "chain.yml"
        rules.write_text(CHAIN)
        with engines.victoria.evaluating(rules):
            wait_until(lambda: engines.victoria.stored_samples("chain_second"))
        recorded = engines.victoria.stored_samples("chain_second")

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


def _values(engines: Engines, expr: str, at: int) -> tuple[list[float], list[float]]:
    """Return the values of an instant query in Prometheus and in VictoriaMetrics."""
    prometheus, victoria = (list(engine.query(expr, at).values()) for engine in engines)
    return prometheus, victoria
