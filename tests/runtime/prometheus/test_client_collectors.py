from __future__ import annotations

from collections.abc import Iterator
from threading import Event
from typing import TYPE_CHECKING, Any

import prometheus_client
import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.gc_collector import GCCollector
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

import otel_meta
from otel_meta import MetaRepo, NoLabels
from otel_meta.runtime.prometheus.timed_collection import TimedCollection
from otel_meta.testing import CapturedTelemetry, capture
from tests.runtime.prometheus.page_parser import parse_page

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Run

OPENMETRICS = "application/openmetrics-text; version=1.0.0"


class Shop(MetaRepo, name="shop", owner="us"):
    """A shop."""

    jobs = otel_meta.Counter("shop.jobs", "Jobs.", NoLabels)


@pytest.fixture(autouse=True)
def registry(monkeypatch: pytest.MonkeyPatch) -> CollectorRegistry:
    """A new default registry, with the collectors of the default registry."""
    registry = CollectorRegistry(auto_describe=True)
    for collector in (ProcessCollector, PlatformCollector, GCCollector):
        collector(registry=registry)
    monkeypatch.setattr(prometheus_client, "REGISTRY", registry)
    return registry


def lines(captured: CapturedTelemetry, beginning: str, accept: str = "") -> list[str]:
    """Return the lines of a page that begin with a text; the page is valid."""
    scrape = captured.telemetry.scrape
    assert scrape is not None
    body, content_type = scrape.render(accept)
    assert list(parse_page(body.decode(), content_type))
    return [line for line in body.decode().splitlines() if line.startswith(beginning)]


def faults(captured: CapturedTelemetry) -> dict[tuple[str, ...], float]:
    """Return the number of faults by source and reason."""
    return {cell.labels: cell.value for cell in captured.telemetry.faults.family.cells()}


def warnings(captured: CapturedTelemetry) -> list[str]:
    """Return the logged warnings."""
    return [line["event"] for line in captured.logs() if line["level"] == "warning"]


class Collector:
    """A custom collector of one metric, which may wait or fail."""

    def __init__(self, metric: Any, gate: Event | None = None) -> None:
        self._metric = metric
        self._gate = gate
        self.calls = 0

    def collect(self) -> Iterator[Any]:
        """Yield the metric after the gate opens, or raise it."""
        self.calls += 1
        if self._gate is not None:
            self._gate.wait(20)
        if isinstance(self._metric, BaseException):
            raise self._metric
        yield self._metric


class TestDefaultRegistry:
    @pytest.mark.parametrize("accept", ["", OPENMETRICS])
    def test_default_registry_is_on_page(self, registry: CollectorRegistry, accept: str) -> None:
        """Metrics of prometheus_client's default registry are on the page in both formats."""
        Counter("legacy_jobs", "Jobs.", ["kind"], registry=registry).labels("a").inc(3)
        Histogram("legacy_seconds", "Time.", registry=registry, buckets=(1,)).observe(0.5)
        with capture("shop") as captured:
            assert ['legacy_jobs_total{kind="a"} 3.0'] == lines(captured, "legacy_jobs_t", accept)
            assert ["legacy_seconds_count 1.0"] == lines(captured, "legacy_seconds_count", accept)
            assert {} == faults(captured)

    def test_exemplars_are_on_page(self, registry: CollectorRegistry) -> None:
        """Exemplars of the default registry are on the page in OpenMetrics."""
        Counter("legacy_jobs", "Jobs.", registry=registry).inc(1, {"trace_id": "abc"})
        with capture("shop") as captured:
            (line,) = lines(captured, "legacy_jobs_total", OPENMETRICS)

        assert ' # {trace_id="abc"} 1.0 ' in line

    def test_metrics_of_process_are_on_page_once(self, registry: CollectorRegistry) -> None:
        """Metrics of the process are on the page once, without a fault."""
        with capture("shop") as captured:
            assert 1 == len(lines(captured, "process_cpu_seconds_total"))
            assert 1 == len(lines(captured, "python_info"))
            assert {} == faults(captured)

    def test_metrics_of_another_process_stay(self, registry: CollectorRegistry) -> None:
        """A collector of process metrics with a prefix of its own stays."""
        ProcessCollector(namespace="child", registry=registry)
        with capture("shop") as captured:
            assert 1 == len(lines(captured, "child_process_cpu_seconds_total"))

    @pytest.mark.parametrize(("option", "variable"), [(False, "true"), (None, "false")])
    def test_setting_leaves_default_registry_out(
        self, registry: CollectorRegistry, option: bool | None, variable: str
    ) -> None:
        """The option or the variable leaves the default registry out."""
        Gauge("legacy", "Legacy.", registry=registry).set(1)
        environ = {"OTEL_META_MERGE_PROMETHEUS_CLIENT": variable}
        with capture("shop", environ=environ, merge_prometheus_client=option) as captured:
            assert [] == lines(captured, "legacy")

    def test_registry_that_is_registered_is_on_page_once(self, registry: CollectorRegistry) -> None:
        """The default registry may be registered as well, and is on the page once."""
        counter = Counter("legacy_jobs", "Jobs.", registry=registry)
        with capture("shop") as captured:
            scrape = captured.telemetry.scrape
            assert scrape is not None
            scrape.registry.register(registry)
            scrape.registry.register(counter)

            assert ["legacy_jobs_total 0.0"] == lines(captured, "legacy_jobs_total")
            assert 1 == len(lines(captured, "process_cpu_seconds_total"))
            assert {} == faults(captured)

    def test_our_registry_in_theirs_is_on_page_once(self, registry: CollectorRegistry) -> None:
        """Our registry may be registered in another registry, and is on the page once."""
        other = CollectorRegistry(auto_describe=False)
        with capture("shop", Shop) as captured:
            scrape = captured.telemetry.scrape
            assert scrape is not None
            captured.bind(Shop).jobs.add(1)
            other.register(scrape.registry)
            scrape.registry.register(other)

            assert 1 == len(lines(captured, "shop_jobs_total{"))
            assert {} == faults(captured)


class TestConflict:
    @pytest.mark.parametrize(
        "theirs",
        [
            lambda registry: Counter("shop_jobs", "Theirs.", registry=registry),
            lambda registry: Gauge("shop_jobs", "Theirs.", registry=registry),
            lambda registry: Gauge("shop_jobs_total", "Theirs.", registry=registry),
            lambda registry: Gauge("shop.jobs", "Theirs.", registry=registry),
            lambda registry: registry.register(Collector(_metric("theirs", "shop_jobs_total"))),
        ],
    )
    def test_our_metric_wins_and_conflict_is_reported_once(
        self, registry: CollectorRegistry, theirs: Callable[[CollectorRegistry], Any]
    ) -> None:
        """If names conflict, our metric is shown, and the conflict is counted and logged once."""
        with capture("shop", Shop) as captured:
            captured.bind(Shop).jobs.add(7)
            theirs(registry)
            found = [lines(captured, "shop_jobs", accept) for accept in ("", OPENMETRICS, "")]
            said = [each for each in warnings(captured) if "conflict" in each]

            assert [1, 1, 1] == list(map(len, found))
            assert all(each[0].endswith("} 7.0") for each in found)
            assert [1.0] == [
                n for (_, reason), n in faults(captured).items() if reason == "conflict"
            ]
            assert 1 == len(said)

    def test_series_that_is_there_twice_is_on_page_once(self, registry: CollectorRegistry) -> None:
        """A series that a collector yields twice is on the page once."""
        registry.register(Collector(_metric("twice", "twice", "twice")))
        with capture("shop") as captured:
            assert ["twice 1.0"] == lines(captured, "twice")


def _metric(name: str, *samples: str) -> Metric:
    metric = Metric(name, "Theirs.", "gauge")
    for sample in samples:
        metric.add_sample(sample, {}, 1)
    return metric


class TestCollectors:
    @pytest.mark.parametrize(
        "broken",
        [
            RuntimeError("no"),
            SystemExit(3),
            None,
            Metric("x", "", "gauge"),
            CounterMetricFamily("x", "Negative.", -1),
        ],
    )
    def test_failing_collector_costs_its_own_metrics_only(
        self, registry: CollectorRegistry, broken: Any
    ) -> None:
        """A collector that raises, or yields nonsense, costs its own metrics only."""
        if isinstance(broken, Metric) and not broken.samples:
            broken.add_sample("x", {}, "many")  # type: ignore[arg-type]  # the nonsense
        registry.register(Collector(GaugeMetricFamily("first", "Fine.", 1)))
        with capture("shop") as captured:
            captured_registry = captured.telemetry.scrape
            assert captured_registry is not None
            captured_registry.registry.register(Collector(broken))

            assert ["first 1.0"] == lines(captured, "first", OPENMETRICS)
            assert ["not exposed"] == [reason for _, reason in faults(captured)]

    def test_slow_collector_costs_its_own_metrics_only(
        self, registry: CollectorRegistry, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A slow collector is left out after the time limit, and not called a second time."""
        gate, describe = Event(), GaugeMetricFamily("slow", "Slow.", 1)
        slow = Collector(describe, gate)
        with capture("shop", Shop) as captured:
            captured.bind(Shop).jobs.add(1)
            scrape = captured.telemetry.scrape
            assert scrape is not None
            timed = TimedCollection(captured.telemetry.faults.report, 0.1)
            monkeypatch.setattr(scrape, "_timed", timed)
            scrape.registry.register(slow)
            Gauge("fine", "Fine.", registry=registry).set(1)
            first, second = (lines(captured, "") for _ in range(2))
            gate.set()

            assert [1, 1] == [
                sum(line.startswith("shop_jobs_total{") for line in page)
                for page in (first, second)
            ]
            assert "fine 1.0" in second
            assert 1 == slow.calls
            assert 2 == faults(captured)["Collector", "late"]

    @pytest.mark.parametrize("name", ["1st-metric", "with.dots", "ünï", "a b"])
    @pytest.mark.parametrize("accept", ["", OPENMETRICS])
    def test_odd_names_give_valid_page(
        self, registry: CollectorRegistry, name: str, accept: str
    ) -> None:
        """A metric with an odd name does not make the page invalid."""
        registry.register(Collector(_metric(name, name)))
        with capture("shop") as captured:
            assert lines(captured, "otel_meta_up", accept)


MULTIPROCESS = """
import os
from prometheus_client import Counter
from otel_meta.testing import capture

jobs = Counter("legacy_jobs", "Jobs.")
if (child := os.fork()) == 0:
    jobs.inc(2)
    os._exit(0)
os.waitpid(child, 0)
jobs.inc(1)
with capture("shop", environ=dict(os.environ)) as captured:
    page = captured.prometheus_text()
    print([line for line in page.splitlines() if line.startswith("legacy_jobs_total")])
    print([line["event"] for line in captured.logs() if "leaves out" in line["event"]])
"""


class TestWorkers:
    def test_multiprocess_mode_shows_all_workers(
        self, script: Callable[..., Run], tmp_path: Any
    ) -> None:
        """In prometheus_client's multiprocess mode, the page shows the sum over all workers."""
        run = script(MULTIPROCESS, PROMETHEUS_MULTIPROC_DIR=str(tmp_path))

        assert ["['legacy_jobs_total 3.0']", "[]"] == run.stdout.splitlines()

    def test_shared_page_leaves_metrics_of_one_worker_out(
        self, script: Callable[..., Run], tmp_path: Any
    ) -> None:
        """A page of all workers leaves out metrics of one worker, and says so once."""
        run = script(MULTIPROCESS, OTEL_META_MULTIPROCESS_DIR=str(tmp_path / "shared"))
        shown, said = run.stdout.splitlines()

        assert "[]" == shown
        assert "set PROMETHEUS_MULTIPROC_DIR" in said
