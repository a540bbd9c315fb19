from __future__ import annotations

import math
from typing import Any, Literal

import pytest
from opentelemetry.sdk.trace import TracerProvider

from otel_meta import Counter, Gauge, Histogram, NoLabels, UpDownCounter, labels
from otel_meta.model import Instrument
from otel_meta.runtime.prometheus.declared_metrics import DeclaredMetrics
from otel_meta.runtime.prometheus.families import CHUNK
from otel_meta.runtime.prometheus.formats import OPENMETRICS, TEXT, Format
from otel_meta.runtime.prometheus.page import render
from otel_meta.runtime.recording.cells import SumCell
from otel_meta.runtime.recording.faults import Faults
from otel_meta.runtime.recording.storage import MetricStorage


@labels
class Tile:
    style: str
    kind: Literal["vector", "raster"] = "vector"


TILES = Counter("atlas.tiles", "Tiles.", Tile, unit="{tile}")
SENT = Counter("atlas.sent", "Bytes sent.", NoLabels, unit="By")
MEMORY = Gauge("atlas.memory", "Memory.", Tile, unit="By")
DRAWING = Histogram("atlas.drawing", "Time to draw.", Tile, unit="s", buckets=(0.1, 1))
OPEN = UpDownCounter("atlas.open_maps", "Maps that are open.", NoLabels)


class Atlas:
    """Instruments, live, and the page of theirs alone."""

    def __init__(self, *instruments: Instrument[...], identity: Any = (("z", "1"),)) -> None:
        self.storage = MetricStorage(Faults())
        self.live: list[Any] = [self.storage.recorder(each) for each in instruments]
        self.told: list[tuple[str, str]] = []
        families = [self.storage.family(each) for each in instruments]
        self._catalogue = DeclaredMetrics(lambda: families, identity, self._tell)

    def page(self, written: Format = TEXT) -> list[str]:
        """The lines of a page."""
        pieces = render(self._catalogue.families(), written, self._tell)
        return b"".join(pieces).decode().splitlines()

    def _tell(self, metric: str, reason: str, _detail: object) -> None:
        self.told.append((metric, reason))


class TestLines:
    def test_counter(self) -> None:
        """A counter, each format with the name of its own for the family."""
        atlas = Atlas(SENT)
        atlas.live[0].add(2)

        assert [
            "# HELP atlas_sent_bytes_total Bytes sent.",
            "# TYPE atlas_sent_bytes_total counter",
            'atlas_sent_bytes_total{z="1"} 2.0',
        ] == atlas.page()
        assert [
            "# HELP atlas_sent_bytes Bytes sent.",
            "# TYPE atlas_sent_bytes counter",
            "# UNIT atlas_sent_bytes bytes",
            'atlas_sent_bytes_total{z="1"} 2.0',
            "# EOF",
        ] == atlas.page(OPENMETRICS)

    def test_gauge(self) -> None:
        """A gauge, by the latest value; its labels by name, whatever their declared order."""
        atlas = Atlas(MEMORY)
        atlas.live[0].set(1, style="dark", kind="raster")
        atlas.live[0].set(2, style="dark", kind="raster")

        assert 'atlas_memory_bytes{kind="raster",style="dark",z="1"} 2.0' == atlas.page()[-1]

    def test_up_down(self) -> None:
        """An up-down counter is a gauge."""
        atlas = Atlas(OPEN)
        atlas.live[0].add(-2)

        assert ["# TYPE atlas_open_maps gauge", 'atlas_open_maps{z="1"} -2.0'] == atlas.page()[1:]

    def test_histogram(self) -> None:
        """A histogram, bucket by bucket."""
        atlas = Atlas(DRAWING)
        atlas.live[0].record(0.5, style="dark")

        assert [
            'atlas_drawing_seconds_bucket{kind="vector",style="dark",z="1",le="0.1"} 0',
            'atlas_drawing_seconds_bucket{kind="vector",style="dark",z="1",le="1.0"} 1',
            'atlas_drawing_seconds_bucket{kind="vector",style="dark",z="1",le="+Inf"} 1',
            'atlas_drawing_seconds_count{kind="vector",style="dark",z="1"} 1',
            'atlas_drawing_seconds_sum{kind="vector",style="dark",z="1"} 0.5',
        ] == atlas.page()[2:]

    def test_no_series(self) -> None:
        """An instrument without series, or with none that has a value, is not shown at all."""
        atlas = Atlas(MEMORY, DRAWING)
        atlas.storage.family(MEMORY).find({"style": "dark", "kind": "vector"})

        assert [] == atlas.page()

    def test_many(self) -> None:
        """More series than a piece holds are all there, under one head."""
        atlas = Atlas(MEMORY)
        for number in range(2 * CHUNK + 1):
            atlas.live[0].set(number, style=f"s{number}")

        assert 2 + 2 * CHUNK + 1 == len(atlas.page())

    def test_bare(self) -> None:
        """Nothing is between no braces where there are no labels at all."""
        atlas = Atlas(SENT, identity=())
        atlas.live[0].add(1)

        assert "atlas_sent_bytes_total 1.0" == atlas.page()[-1]


class TestLabels:
    def test_kept(self) -> None:
        """A series' labels are written once, and then kept with it."""
        atlas = Atlas(SENT)
        atlas.page()
        (cell,) = atlas.storage.family(SENT).cells()
        assert 'z="1"' == cell.rendered
        cell.rendered = 'z="kept"'

        assert 'atlas_sent_bytes_total{z="kept"} 0.0' == atlas.page()[-1]

    def test_empty(self) -> None:
        """A label without a value is no label."""
        atlas = Atlas(MEMORY)
        atlas.live[0].set(1, style="")

        assert 'atlas_memory_bytes{kind="vector",z="1"} 1.0' == atlas.page()[-1]

    def test_overflow(self) -> None:
        """What is over the limit is one series, marked as such."""
        atlas = Atlas(Gauge("atlas.memory", "Memory.", Tile, max_series=1))
        for style in ("dark", "light"):
            atlas.live[0].set(1, style=style)

        assert 'atlas_memory{otel_metric_overflow="true",z="1"} 1.0' == atlas.page()[-1]

    def test_removed(self) -> None:
        """A series that was removed is not shown any more."""
        atlas = Atlas(MEMORY)
        for style in ("dark", "light"):
            atlas.live[0].set(1, style=style)
        atlas.live[0].remove(style="dark")

        assert ['atlas_memory_bytes{kind="vector",style="light",z="1"} 1.0'] == atlas.page()[2:]


class TestExemplars:
    def test_sampled(self) -> None:
        """What was recorded in a sampled span leads to its trace, in OpenMetrics alone."""
        atlas = Atlas(SENT, DRAWING)
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(atlas.storage.spans)
        with provider.get_tracer("one").start_as_current_span("s") as span:
            atlas.live[0].add(3)
            atlas.live[1].record(0.5, style="dark")
        trace = f'# {{trace_id="{span.get_span_context().trace_id:032x}",'
        shown = [line for line in atlas.page(OPENMETRICS) if trace in line]

        assert ["atlas_sent_bytes_total", "atlas_drawing_seconds_bucket"] == [
            line.split("{")[0] for line in shown
        ]
        assert 'le="1.0"' in shown[1]
        assert [] == [line for line in atlas.page() if trace in line]


class TestFaults:
    @pytest.mark.parametrize("value", [math.nan, -1.0])
    def test_no_count(self, value: float) -> None:
        """A series that no counter can have is left out and told of; the others are shown."""
        atlas = Atlas(TILES)
        atlas.live[0].add(1, style="dark", kind="raster")
        family = atlas.storage.family(TILES)
        cell: SumCell = family.series(("odd", "vector"))
        cell.numbers[0] = value

        assert 3 == len(atlas.page()) - 2
        assert [("atlas_tiles_total", "value")] == atlas.told

    def test_family(self) -> None:
        """An instrument that cannot be rendered is left out and told of; the others are shown."""
        atlas = Atlas(OPEN, SENT)
        atlas.live[0].add(1)
        (cell,) = atlas.storage.family(OPEN).cells()
        cell.labels = ("one", "too", "many")

        assert "atlas_open_maps" not in str(atlas.page())
        assert 'atlas_sent_bytes_total{z="1"} 0.0' == atlas.page()[-1]
        assert ("atlas_open_maps", "not exposed") in atlas.told

    def test_source(self) -> None:
        """So is a catalogue whose source fails: a page is made all the same."""
        told: list[str] = []

        def fail() -> list[Any]:
            raise OSError("no")

        catalogue = DeclaredMetrics(fail, (), lambda *fault: told.append(fault[1]))

        assert [] == list(catalogue.families())
        assert ["catalogue"] == told


class TestSeries:
    def test_same(self) -> None:
        """What can be joined with other families is what the lines show."""
        atlas = Atlas(SENT, MEMORY, DRAWING, OPEN)
        atlas.live[0].add(1)
        atlas.live[1].set(2, style="dark")
        atlas.live[2].record(0.5, style="dark")
        atlas.live[3].add(3)
        shown = [family.series() for family in atlas._catalogue.families()]

        assert [1.0, 2.0, (0, 1, 0), 3.0] == [
            getattr(point, "value", None) or point.counts
            for series in shown
            for point in series.values()
        ]
        assert [(("kind", "vector"), ("style", "dark"), ("z", "1"))] == list(shown[1])
