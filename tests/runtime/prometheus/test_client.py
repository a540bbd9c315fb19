from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from prometheus_client import Counter, Enum, Gauge, Histogram, Info, Summary, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics

from otel_meta.runtime.prometheus.client import FamilyCollector, Registry
from otel_meta.runtime.prometheus.families import Head, SeriesFamily
from otel_meta.runtime.prometheus.formats import OPENMETRICS, TEXT, Format
from otel_meta.runtime.prometheus.page import render
from otel_meta.runtime.prometheus.samples import Buckets, Number

Faults = list[tuple[str, str]]


class Registered:
    """A registry, and the page of its collectors."""

    def __init__(self) -> None:
        self.told: Faults = []
        self.registry = Registry(self._tell)

    def page(self, written: Format = TEXT) -> bytes:
        """A page of every collector's but ours."""
        return b"".join(render(self.registry.others(), written, self._tell))

    def _tell(self, metric: str, reason: str, _detail: object) -> None:
        self.told.append((metric, reason))


class Failing:
    """A collector that fails after its first family."""

    def collect(self) -> Iterator[Metric]:
        """One family, and no further."""
        yield GaugeMetricFamily("lost", "Lost.", 1)
        raise RuntimeError("no")


@pytest.fixture
def registered() -> Registered:
    """A registry, and the page of its collectors."""
    return Registered()


class TestOthers:
    def test_kinds(self, registered: Registered) -> None:
        """Whatever prometheus_client measures is on the page as it renders it itself."""
        more: dict[str, Any] = {"registry": registered.registry}
        Counter("c", "Counter.", **more).inc(exemplar={"trace_id": "abc"})
        Gauge("g", 'With "quotes".', ["l"], **more).labels(l='a"\n').set(float("nan"))
        Histogram("h", "Histogram.", buckets=(1, 2), **more).observe(1.5)
        Summary("s", "Summary.", **more).observe(2)
        Info("i", "Info.", **more).info({"version": "1"})
        Enum("e", "Enum.", states=["on", "off"], **more).state("on")
        Gauge("with.dots", "Of UTF-8.", **more).set(1)

        assert generate_latest(registered.registry) == registered.page()
        assert generate_openmetrics(registered.registry) == registered.page(OPENMETRICS)

    def test_fails_alone(self, registered: Registered) -> None:
        """A collector that fails is left out whole and told of; the others are shown."""
        registered.registry.register(Failing())
        Gauge("fine", "Fine.", registry=registered.registry).set(1)

        assert b"# HELP fine Fine.\n# TYPE fine gauge\nfine 1.0\n" == registered.page()
        assert [("Failing", "not exposed")] == registered.told

    def test_unregistered(self, registered: Registered) -> None:
        """One that was taken away is gone."""
        gauge = Gauge("gone", "Gone.", registry=registered.registry)
        registered.registry.unregister(gauge)

        assert b"" == registered.page()

    @pytest.mark.parametrize("written", [TEXT, OPENMETRICS])
    def test_unrendered(self, registered: Registered, written: Format) -> None:
        """A family that prometheus_client cannot render is left out and told of."""
        Gauge("lone", "Lone.", ["l"], registry=registered.registry).labels(l="\ud800").set(1)
        Gauge("fine", "Fine.", registry=registered.registry).set(1)

        assert b"fine 1.0\n" in registered.page(written)
        assert [("lone", "not exposed")] == registered.told

    def test_twice(self, registered: Registered) -> None:
        """Of two collectors with one name, the first is shown and the later told of."""
        for value in (1, 2):
            registered.registry.register(_one(value))

        assert b"twice 1.0\n" in registered.page()
        assert b"twice 2.0\n" not in registered.page()
        assert ("twice", "conflict") in registered.told


class TestOurs:
    def test_rendered(self, registered: Registered) -> None:
        """Our families are in a registry, for prometheus_client's own functions."""
        dark, light = (("style", "dark"),), (("kind", "raster"), ("style", "light"))
        gauge = SeriesFamily(
            Head("g", "gauge", "Gauge."),
            {dark: Number(1.0, adds_up=False), light: Number(2.0, adds_up=False)},
        )
        counter = SeriesFamily(Head("c", "counter", "C."), {dark: Number(3.0, adds_up=True)})
        histogram = SeriesFamily(
            Head("h_seconds", "histogram", "H.", "seconds"), {dark: Buckets((1.0,), (1, 2), 2.5)}
        )
        info = SeriesFamily(Head("target", "info", "T."), {dark: Number(1.0, adds_up=False)})
        ours = [gauge, counter, histogram, info]
        registered.registry.register(FamilyCollector(lambda: ours, registered._tell))
        text = generate_latest(registered.registry).decode()

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
        assert b"" == registered.page()

    def test_joined(self, registered: Registered) -> None:
        """Those of one name are one there too, and conflicts left out."""
        one = SeriesFamily(Head("g", "gauge"), {(): Number(1.0, adds_up=True)})
        other = SeriesFamily(Head("g", "counter"), {(): Number(1.0, adds_up=True)})
        ours = FamilyCollector(lambda: [one, one, other], registered._tell)

        assert [[2.0]] == [[sample.value for sample in m.samples] for m in ours.collect()]
        assert [("g", "conflict")] == registered.told


def _one(value: float) -> Any:
    class Collector:
        def collect(self) -> list[Metric]:
            return [GaugeMetricFamily("twice", "Twice.", value)]

    return Collector()
