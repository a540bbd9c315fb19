"""Pages of random metrics, scraped in all formats by a real Prometheus."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, suppress
from functools import partial
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
import yaml
from hypothesis import HealthCheck, Phase, given, settings
from opentelemetry.trace import Span
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeHistogramMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
    StateSetMetricFamily,
    SummaryMetricFamily,
)

from otel_meta.repos import BUILTIN
from otel_meta.testing import CapturedTelemetry, capture
from tests.backends.alerting_servers import Prometheus
from tests.rules.pinned_tools import tool
from tests.runtime.prometheus.metric_strategies import METRICS, Metrics, recorded
from tests.runtime.prometheus.page_parser import (
    OPENMETRICS,
    OPENMETRICS2,
    TEXT,
    parse_samples,
)

if TYPE_CHECKING:
    from tests.conftest import Eventually

EXAMPLES = 25
SCRAPE_INTERVAL = "5s"
"""Also the time-out of a scrape: a busy machine serves all pages in all formats within it."""
TOKEN = "s3cret"
SERVER: Mapping[str, Any] = {
    "prometheus_port": 0,
    "prometheus_host": "127.0.0.1",
    "prometheus_token": TOKEN,
}
FORMATS = {
    "PrometheusText0.0.4": TEXT,
    "OpenMetricsText1.0.0": OPENMETRICS,
    "OpenMetricsText2.0.0": OPENMETRICS2,
}
FLAGS = ("--enable-feature=openmetrics2,zstd-scrape",)
CHANGING = ("process_", "python_", "otel_meta_faults", "scrape_", "up")
"""Prefixes of series that change between scrapes or are added by Prometheus."""

LINT_FINDING = 'vulnerability_age_days use base unit "seconds" instead of "days"'

Series = dict[tuple[str, frozenset[tuple[str, str]]], str]


class Fleet(NamedTuple):
    """Processes with random metrics, the last with all built-in repos, and their Prometheus."""

    prometheus: Prometheus
    processes: list[CapturedTelemetry]
    span: Span


class ClientMetrics:
    """A collector of prometheus_client with a family of each type."""

    def collect(self) -> Iterator[Metric]:
        """Yield the families; the last breaks a rule of its type."""
        buckets = [("0.5", 1.0), ("1.0", 2.0), ("+Inf", 4.0)]
        summary = SummaryMetricFamily("client_size", "Summary.", 3, 4.5)
        summary.add_sample("client_size", {"quantile": "0.5"}, 1.5)
        yield CounterMetricFamily("client_events", "Events.", 7)
        yield GaugeMetricFamily("client_level", "Level.", -1)
        yield HistogramMetricFamily("client_time_seconds", "Time.", buckets, 5.5)
        yield GaugeHistogramMetricFamily("client_age_seconds", "Age.", buckets, 5.5)
        yield summary
        yield InfoMetricFamily("client_build", "Build.", {"version": 'a"b'})
        yield StateSetMetricFamily("client_state", "State.", {"on": True, "off": False})
        yield HistogramMetricFamily("client_odd", "Without a sum.", buckets, None)


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """Start processes with recorded metrics, each scraped in all formats."""
    with ExitStack() as stack:
        processes = [stack.enter_context(recorded(each, **SERVER)) for each in _draw_metrics()]
        builtin = stack.enter_context(capture("maps", namespace="nebula", **SERVER))
        span = _record_builtin(builtin)
        assert builtin.telemetry.scrape is not None
        builtin.telemetry.scrape.registry.register(ClientMetrics())
        processes.append(builtin)
        targets = [f"127.0.0.1:{_port(each)}" for each in processes]
        folder = tmp_path_factory.mktemp("exposition")
        prometheus = stack.enter_context(Prometheus(folder, _config(targets), FLAGS))
        yield Fleet(prometheus.wait_until_ready(), processes, span)


def _draw_metrics() -> list[Metrics]:
    drawn: list[Metrics] = []

    @settings(
        max_examples=EXAMPLES,
        phases=[Phase.generate],
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(METRICS)
    def draw(metrics: Metrics) -> None:
        drawn.append(metrics)

    draw()
    return drawn


def _record_builtin(captured: CapturedTelemetry) -> Span:
    """Record a value into every instrument within a sampled span, and return the span."""
    assert captured.telemetry.traces is not None
    tracer = captured.telemetry.traces.provider.get_tracer("test")
    with tracer.start_as_current_span("work") as span:
        for repo in BUILTIN:
            live = captured.bind(repo)
            for name, instrument in repo.instruments.items():
                method = {"gauge": "set", "histogram": "record"}.get(instrument.kind, "add")
                values = {f.name: (f.values or ("any",))[0] for f in instrument.label_fields}
                getattr(getattr(live, name), method)(1, **values)
    return span


def _config(targets: list[str]) -> str:
    jobs = [
        {
            "job_name": protocol,
            "scrape_protocols": [protocol],
            "authorization": {"credentials": TOKEN},
            "static_configs": [{"targets": targets}],
        }
        for protocol in FORMATS
    ]
    return yaml.safe_dump({"global": {"scrape_interval": SCRAPE_INTERVAL}, "scrape_configs": jobs})


def _port(captured: CapturedTelemetry) -> int:
    assert captured.telemetry.metrics is not None
    assert captured.telemetry.metrics.server is not None
    return captured.telemetry.metrics.server.port


class TestScraped:
    @pytest.mark.parametrize("protocol", FORMATS)
    def test_prometheus_stores_exactly_the_series_of_each_page(
        self, fleet: Fleet, protocol: str, eventually: Eventually
    ) -> None:
        """Prometheus stores exactly the series of each page."""
        for captured in fleet.processes:
            target = f'{{job="{protocol}",instance="127.0.0.1:{_port(captured)}"}}'
            eventually(partial(fleet.prometheus.query, f"up{target} == 1"))
            page = captured.prometheus_text(FORMATS[protocol])
            shown = _shown(page, FORMATS[protocol])

            assert [1.0] == [s.value for s in fleet.prometheus.query(f"up{target}")], page
            assert shown == _stored(fleet.prometheus, target, _label), page

    def test_prometheus_stores_identical_series_from_every_format(
        self, fleet: Fleet, eventually: Eventually
    ) -> None:
        """Prometheus stores identical series from every format, to the letters of ``le``.

        OpenMetrics 1.0 lacks the sums that can decrease: such histograms are left out.
        """
        for captured in fleet.processes:
            instance = f'instance="127.0.0.1:{_port(captured)}"'
            for protocol in FORMATS:
                eventually(
                    partial(fleet.prometheus.query, f'up{{{instance},job="{protocol}"}} == 1')
                )
            plain, first, second = (
                _stored(fleet.prometheus, f'{{{instance},job="{protocol}"}}', _unchanged)
                for protocol in FORMATS
            )

            assert plain == second
            assert first.items() <= second.items()

    def test_prometheus_logs_no_warning_and_reports_no_scrape_error(
        self, fleet: Fleet, eventually: Eventually
    ) -> None:
        """Prometheus logs no warning and reports no scrape error.

        An error of a page stays, since the pages do not change; a time-out of a busy machine ends.
        """

        def states() -> set[tuple[str, str]]:
            active = fleet.prometheus.get("targets", state="active")["activeTargets"]
            return {(target["health"], target["lastError"]) for target in active}

        eventually(lambda: {("up", "")} == states())

        assert {("up", "")} == states()
        assert [] == [line for line in fleet.prometheus.log().splitlines() if "level=WARN" in line]

    def test_prometheus_stores_exemplars_of_counters_and_buckets(
        self, fleet: Fleet, eventually: Eventually
    ) -> None:
        """Prometheus stores exemplars of counters and buckets."""
        names = ("model_inference_requests_total", "database_query_duration_seconds_bucket")

        def traces(name: str, protocol: str) -> set[str]:
            query = f'{name}{{job="{protocol}"}}'
            series = fleet.prometheus.get("query_exemplars", query=query, start=0, end=10**10)
            return {e["labels"]["trace_id"] for each in series for e in each["exemplars"]}

        trace = f"{fleet.span.get_span_context().trace_id:032x}"
        for name, protocol in product(names, ("OpenMetricsText1.0.0", "OpenMetricsText2.0.0")):
            eventually(partial(traces, name, protocol))

            assert {trace} == traces(name, protocol)

    def test_prometheus_stores_types_units_and_descriptions(self, fleet: Fleet) -> None:
        """Prometheus stores types, units and descriptions."""
        match = {"metric": "database_query_duration_seconds", "limit": 1}
        target = f'{{job="OpenMetricsText1.0.0",instance="127.0.0.1:{_port(fleet.processes[-1])}"}}'
        (metadata,) = fleet.prometheus.get("targets/metadata", match_target=target, **match)

        assert ("histogram", "seconds") == (metadata["type"], metadata["unit"])
        assert metadata["help"]


class TestPromtool:
    def test_promtool_finds_only_prescribed_name(self, fleet: Fleet) -> None:
        """The only finding of promtool is the prescribed name of one metric."""
        done = _check(fleet.processes[-1].prometheus_text())

        assert [LINT_FINDING] == done.stderr.splitlines()

    def test_promtool_parses_pages_of_random_metrics(self, fleet: Fleet) -> None:
        """Promtool parses the pages of random metrics."""
        for captured in fleet.processes[:-1]:
            page = captured.prometheus_text()

            assert "error" not in _check(page).stderr, page


def _check(page: str) -> subprocess.CompletedProcess[str]:
    command: list[str | Path] = [tool("promtool"), "check", "metrics"]
    return subprocess.run(command, input=page, capture_output=True, text=True, check=False)


def _shown(page: str, accept: str) -> Series:
    return {
        (name, frozenset(_label(*pair) for pair in labels if pair[1])): repr(float(value))
        for (name, labels), value in parse_samples(page, accept).items()
        if not name.startswith(CHANGING)
    }


def _stored(
    prometheus: Prometheus,
    target: str,
    label: Callable[[str, str], tuple[str, str]],
) -> Series:
    return {
        (
            each["metric"]["__name__"],
            frozenset(
                label(name, value)
                for name, value in each["metric"].items()
                if name not in ("__name__", "job", "instance")
            ),
        ): repr(float(each["value"][1]))
        for each in prometheus.get("query", query=target)["result"]
        if not each["metric"]["__name__"].startswith(CHANGING)
    }


def _unchanged(name: str, value: str) -> tuple[str, str]:
    return name, value


def _label(name: str, value: str) -> tuple[str, str]:
    """Normalize the label le: a number has several spellings."""
    if name == "le":
        with suppress(ValueError):  # an attribute le can have any value
            return name, repr(float(value))
    return name, value
