from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from prometheus_client import Counter, Enum, Gauge, Histogram, Info, Summary, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics

from otel_meta.runtime.prometheus.client_collectors import ClientCollectors
from otel_meta.runtime.prometheus.families import Metadata, SeriesFamily
from otel_meta.runtime.prometheus.metric_points import HistogramPoint, NumberPoint
from otel_meta.runtime.prometheus.page import render_page
from otel_meta.runtime.prometheus.prometheus_client_bridge import (
    IsolatingRegistry,
    MetricFamilyCollector,
)
from otel_meta.runtime.prometheus.text_format import OPENMETRICS, TEXT, TextFormat
from otel_meta.runtime.prometheus.timed_collection import TimedCollection

Faults = list[tuple[str, str]]


class RegistryPage:
    """A registry whose collectors are rendered on a page."""

    def __init__(self) -> None:
        self.faults: Faults = []
        self.registry = IsolatingRegistry()

    def page(self, text_format: TextFormat = TEXT) -> bytes:
        """Render the families of prometheus_client collectors."""
        sources = ClientCollectors(self.registry).sources()
        collected = TimedCollection(self.report, 20).collect(sources)
        families = [each for source in sources for each in collected.get(source.key, ())]
        return render_page(families, text_format, self.report)

    def report(self, metric: str, reason: str, _detail: object) -> None:
        """Collect a fault."""
        self.faults.append((metric, reason))


class Failing:
    """A collector with an error after the first family."""

    def collect(self) -> Iterator[Metric]:
        """Yield one family and fail."""
        yield GaugeMetricFamily("lost", "Lost.", 1)
        raise RuntimeError("no")


@pytest.fixture
def registry_page() -> RegistryPage:
    """A registry whose collectors are rendered on a page."""
    return RegistryPage()


class TestClientFamilies:
    def test_all_types_of_metrics_are_rendered_as_by_prometheus_client(
        self, registry_page: RegistryPage
    ) -> None:
        """All types of metrics are rendered as by prometheus_client."""
        more: dict[str, Any] = {"registry": registry_page.registry}
        Counter("c", "Counter.", **more).inc(exemplar={"trace_id": "abc"})
        Gauge("g", 'With "quotes".', ["l"], **more).labels(l='a"\n').set(float("nan"))
        Histogram("h", "Histogram.", buckets=(1, 2), **more).observe(1.5)
        Summary("s", "Summary.", **more).observe(2)
        Info("i", "Info.", **more).info({"version": "1"})
        Enum("e", "Enum.", states=["on", "off"], **more).state("on")
        Gauge("with.dots", "Of UTF-8.", **more).set(1)

        assert generate_latest(registry_page.registry) == registry_page.page()
        openmetrics = generate_openmetrics(registry_page.registry)  # type: ignore[no-untyped-call]
        assert openmetrics == registry_page.page(OPENMETRICS)

    def test_failing_collector_is_left_out_and_reported(self, registry_page: RegistryPage) -> None:
        """A failing collector is left out and reported."""
        registry_page.registry.register(Failing())
        Gauge("fine", "Fine.", registry=registry_page.registry).set(1)

        assert b"# HELP fine Fine.\n# TYPE fine gauge\nfine 1.0\n" == registry_page.page()
        assert [("Failing", "not exposed")] == registry_page.faults

    def test_unregistered_collector_is_not_on_page(self, registry_page: RegistryPage) -> None:
        """An unregistered collector is not on the page."""
        gauge = Gauge("gone", "Gone.", registry=registry_page.registry)
        registry_page.registry.unregister(gauge)

        assert b"" == registry_page.page()

    @pytest.mark.parametrize("text_format", [TEXT, OPENMETRICS])
    def test_unrenderable_family_is_left_out_and_reported(
        self, registry_page: RegistryPage, text_format: TextFormat
    ) -> None:
        """A family beyond prometheus_client is left out and reported."""
        Gauge("lone", "Lone.", ["l"], registry=registry_page.registry).labels(l="\ud800").set(1)
        Gauge("fine", "Fine.", registry=registry_page.registry).set(1)

        assert b"fine 1.0\n" in registry_page.page(text_format)
        assert [("lone", "not exposed")] == registry_page.faults

    def test_first_of_two_collectors_with_equal_names_is_shown(
        self, registry_page: RegistryPage
    ) -> None:
        """The first of two collectors with equal names is shown, the later reported."""
        for value in (1, 2):
            registry_page.registry.register(_collector(value))

        assert b"twice 1.0\n" in registry_page.page()
        assert b"twice 2.0\n" not in registry_page.page()
        assert ("twice", "conflict") in registry_page.faults


class TestMetricFamilyCollector:
    def test_prometheus_client_renders_our_families_from_registry(
        self, registry_page: RegistryPage
    ) -> None:
        """prometheus_client renders our families from a registry."""
        dark, light = (("style", "dark"),), (("kind", "raster"), ("style", "light"))
        gauge = SeriesFamily(
            Metadata("g", "gauge", "Gauge."),
            {dark: NumberPoint(1.0, additive=False), light: NumberPoint(2.0, additive=False)},
        )
        counter = SeriesFamily(
            Metadata("c", "counter", "C."), {dark: NumberPoint(3.0, additive=True)}
        )
        histogram = SeriesFamily(
            Metadata("h_seconds", "histogram", "H.", "seconds"),
            {dark: HistogramPoint((1.0,), (1, 2), 2.5)},
        )
        info = SeriesFamily(
            Metadata("target", "info", "T."), {dark: NumberPoint(1.0, additive=False)}
        )
        ours = [gauge, counter, histogram, info]
        registry_page.registry.register(MetricFamilyCollector(lambda: ours, registry_page.report))
        text = generate_latest(registry_page.registry).decode()

        assert [
            'g{kind="",style="dark"} 1.0',
            'g{kind="raster",style="light"} 2.0',
            'c_total{style="dark"} 3.0',
            'h_seconds_bucket{le="1.0",style="dark"} 1.0',
            'h_seconds_bucket{le="+Inf",style="dark"} 3.0',
            'h_seconds_count{style="dark"} 3.0',
            'h_seconds_sum{style="dark"} 2.5',
            'target_info{style="dark"} 1.0',
        ] == [line for line in text.splitlines() if not line.startswith("#")]
        assert b"" == registry_page.page()

    def test_families_of_equal_name_are_merged(self, registry_page: RegistryPage) -> None:
        """Families of equal name are merged, conflicting families left out."""
        one = SeriesFamily(Metadata("g", "gauge"), {(): NumberPoint(1.0, additive=True)})
        other = SeriesFamily(Metadata("g", "counter"), {(): NumberPoint(1.0, additive=True)})
        ours = MetricFamilyCollector(lambda: [one, one, other], registry_page.report)

        assert [[2.0]] == [[sample.value for sample in m.samples] for m in ours.collect()]
        assert [("g", "conflict")] == registry_page.faults


def _collector(value: float) -> Any:
    class Collector:
        def collect(self) -> list[Metric]:
            return [GaugeMetricFamily("twice", "Twice.", value)]

    return Collector()
