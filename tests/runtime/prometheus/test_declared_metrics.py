from __future__ import annotations

import math
import time
from typing import Any, Literal

import pytest
from opentelemetry.sdk.trace import TracerProvider

from otel_meta import Counter, Gauge, Histogram, NoLabels, UpDownCounter, labels
from otel_meta.model import Instrument
from otel_meta.runtime.lifecycle.span_processors import SampledSpanCounter
from otel_meta.runtime.prometheus.declared_metrics import DeclaredMetrics
from otel_meta.runtime.prometheus.families import CHUNK_SIZE
from otel_meta.runtime.prometheus.metric_points import HistogramPoint, NumberPoint
from otel_meta.runtime.prometheus.page import render_page
from otel_meta.runtime.prometheus.text_format import (
    OPENMETRICS,
    OPENMETRICS2,
    OPENMETRICS_CREATED,
    TEXT,
    SeriesText,
    TextFormat,
)
from otel_meta.runtime.recording.cells import SumCell
from otel_meta.runtime.recording.faults import Faults
from otel_meta.runtime.recording.storage import MetricStorage
from tests.runtime.prometheus.page_parser import OPENMETRICS as OPENMETRICS_1
from tests.runtime.prometheus.page_parser import Samples, parse_samples


@labels
class Tile:
    style: str
    kind: Literal["vector", "raster"] = "vector"


TILES = Counter("atlas.tiles", "Tiles.", Tile, unit="{tile}")
SENT = Counter("atlas.sent", "Bytes sent.", NoLabels, unit="By")
MEMORY = Gauge("atlas.memory", "Memory.", Tile, unit="By")
DRAWING = Histogram("atlas.drawing", "Time to draw.", Tile, unit="s", buckets=(0.1, 1))
OPEN = UpDownCounter("atlas.open_maps", "Maps that are open.", NoLabels)


class AtlasPage:
    """Live instruments on a page without other metrics."""

    def __init__(self, *instruments: Instrument[...], identity: Any = (("z", "1"),)) -> None:
        self.storage = MetricStorage(Faults())
        self.live: list[Any] = [self.storage.recorder(each) for each in instruments]
        self.faults: list[tuple[str, str]] = []
        families = [self.storage.family(each) for each in instruments]
        self.declared = DeclaredMetrics(lambda: families, identity, self._report)

    def page(self, text_format: TextFormat = TEXT) -> list[str]:
        """Render a page as lines."""
        page = render_page(self.declared.families(), text_format, self._report)
        return page.decode().splitlines()

    def _report(self, metric: str, reason: str, _detail: object) -> None:
        self.faults.append((metric, reason))


def points(atlas: AtlasPage) -> list[Any]:
    """Return the points of all histograms, without their starts."""
    return [
        (point.bounds, point.counts, point.sum)
        for family in atlas.declared.families()
        for point in family.series().values()
        if isinstance(point, HistogramPoint)
    ]


class TestLines:
    def test_family_name_of_counter_depends_on_format(self) -> None:
        """The family name of a counter depends on the format."""
        atlas = AtlasPage(SENT)
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

    def test_gauge_shows_latest_value_and_labels_sorted_by_name(self) -> None:
        """A gauge shows the latest value, and labels sorted by name."""
        atlas = AtlasPage(MEMORY)
        atlas.live[0].set(1, style="dark", kind="raster")
        atlas.live[0].set(2, style="dark", kind="raster")

        assert 'atlas_memory_bytes{kind="raster",style="dark",z="1"} 2.0' == atlas.page()[-1]

    def test_up_down_counter_is_shown_as_gauge(self) -> None:
        """An up-down counter is shown as a gauge."""
        atlas = AtlasPage(OPEN)
        atlas.live[0].add(-2)

        assert ["# TYPE atlas_open_maps gauge", 'atlas_open_maps{z="1"} -2.0'] == atlas.page()[1:]

    def test_histogram_shows_buckets_count_and_sum(self) -> None:
        """A histogram shows buckets, count and sum."""
        atlas = AtlasPage(DRAWING)
        atlas.live[0].record(0.5, style="dark")

        assert [
            'atlas_drawing_seconds_bucket{kind="vector",style="dark",z="1",le="0.1"} 0',
            'atlas_drawing_seconds_bucket{kind="vector",style="dark",z="1",le="1.0"} 1',
            'atlas_drawing_seconds_bucket{kind="vector",style="dark",z="1",le="+Inf"} 1',
            'atlas_drawing_seconds_count{kind="vector",style="dark",z="1"} 1',
            'atlas_drawing_seconds_sum{kind="vector",style="dark",z="1"} 0.5',
        ] == atlas.page()[2:]

    @pytest.mark.parametrize("text_format", [TEXT, OPENMETRICS], ids=str)
    def test_native_histogram_shows_lines_of_its_declared_buckets(
        self, text_format: TextFormat
    ) -> None:
        """A native histogram shows the lines of one that is not native."""
        drawing = Histogram("atlas.drawing", "Time.", NoLabels, buckets=(0.1, 1))
        native = Histogram("atlas.drawing", "Time.", NoLabels, buckets=(0.1, 1), native=True)
        pages = [AtlasPage(drawing), AtlasPage(native)]
        for page in pages:
            for value in (0.05, 0.1, 0.3, 0.9, 7):
                page.live[0].record(value)

        assert pages[0].page(text_format) == pages[1].page(text_format)
        assert points(pages[0]) == points(pages[1])

    def test_native_histogram_shows_exponential_buckets_in_openmetrics2(self) -> None:
        """OpenMetrics 2.0 shows the exponential buckets of a native histogram, then the others."""
        native = Histogram("atlas.drawing", "Time.", NoLabels, buckets=(0.5, 1), native=True)
        atlas = AtlasPage(native)
        for value in (0.5, 0.51, 0.52, 0.9, 7):
            atlas.live[0].record(value)
        line = atlas.page(OPENMETRICS2)[-2]

        assert (
            'atlas_drawing{z="1"} {count:5,sum:9.43,schema:3,zero_threshold:0.5,zero_count:1,'
            "positive_spans:[-7:1,5:1,1:1],positive_buckets:[2,1,1],bucket:[0.5:1,1.0:4,+Inf:5]}"
        ) == line.rpartition(" st@")[0]

    def test_instrument_without_values_is_not_shown(self) -> None:
        """An instrument without values is not shown."""
        atlas = AtlasPage(MEMORY, DRAWING)
        atlas.storage.family(MEMORY).find({"style": "dark", "kind": "vector"})

        assert [] == atlas.page()

    def test_families_longer_than_chunk_have_one_header(self) -> None:
        """Families longer than a chunk have one header."""
        atlas = AtlasPage(MEMORY)
        for number in range(2 * CHUNK_SIZE + 1):
            atlas.live[0].set(number, style=f"s{number}")

        assert 2 + 2 * CHUNK_SIZE + 1 == len(atlas.page())

    def test_series_without_labels_has_no_braces(self) -> None:
        """A series without labels has no braces."""
        atlas = AtlasPage(SENT, identity=())
        atlas.live[0].add(1)

        assert "atlas_sent_bytes_total 1.0" == atlas.page()[-1]


class TestLabels:
    def test_rendered_labels_are_cached_in_cell(self) -> None:
        """Rendered labels are cached in the cell."""
        atlas = AtlasPage(SENT)
        atlas.page()
        (cell,) = atlas.storage.family(SENT).cells()
        assert isinstance(cell.rendered, SeriesText)
        assert 'z="1"' == cell.rendered.labels
        cell.rendered = cell.rendered._replace(labels='z="kept"')

        assert 'atlas_sent_bytes_total{z="kept"} 0.0' == atlas.page()[-1]

    def test_label_without_value_is_left_out(self) -> None:
        """A label without a value is left out."""
        atlas = AtlasPage(MEMORY)
        atlas.live[0].set(1, style="")

        assert 'atlas_memory_bytes{kind="vector",z="1"} 1.0' == atlas.page()[-1]

    def test_series_above_limit_are_one_series_with_overflow_label(self) -> None:
        """Series above the limit are one series with the overflow label."""
        atlas = AtlasPage(Gauge("atlas.memory", "Memory.", Tile, max_series=1))
        for style in ("dark", "light"):
            atlas.live[0].set(1, style=style)

        assert 'atlas_memory{otel_metric_overflow="true",z="1"} 1.0' == atlas.page()[-1]

    def test_removed_series_is_not_shown(self) -> None:
        """A removed series is not shown."""
        atlas = AtlasPage(MEMORY)
        for style in ("dark", "light"):
            atlas.live[0].set(1, style=style)
        atlas.live[0].remove(style="dark")

        assert ['atlas_memory_bytes{kind="vector",style="light",z="1"} 1.0'] == atlas.page()[2:]


class TestStart:
    def test_openmetrics_2_has_one_line_for_each_series(self) -> None:
        """OpenMetrics 2.0 has one line for each series: a gauge without, others with a start."""
        atlas = AtlasPage(SENT, MEMORY, DRAWING)
        atlas.live[0].add(2)
        atlas.live[1].set(3, style="dark")
        atlas.live[2].record(0.5, style="dark")
        for instrument in (SENT, MEMORY, DRAWING):
            for cell in atlas.storage.family(instrument).cells():
                cell.start_ns = 1_700_000_000_007_999_999
        labels = 'kind="vector",style="dark",z="1"'
        value = "{count:1,sum:0.5,bucket:[0.1:0,1.0:1,+Inf:1]}"

        assert [
            'atlas_sent_bytes_total{z="1"} 2.0 st@1700000000.007',
            f"atlas_memory_bytes{{{labels}}} 3.0",
            f"atlas_drawing_seconds{{{labels}}} {value} st@1700000000.007",
            "# EOF",
        ] == [line for line in atlas.page(OPENMETRICS2) if line[:3] not in ("# H", "# T", "# U")]

    def test_start_follows_series(self) -> None:
        """The start on the page changes with that of the series, as after a compaction."""
        atlas = AtlasPage(SENT)
        atlas.live[0].add(1)
        atlas.page(OPENMETRICS2)
        (cell,) = atlas.storage.family(SENT).cells()
        cell.start_ns = 1_000_000_000

        assert 'atlas_sent_bytes_total{z="1"} 1.0 st@1.000' in atlas.page(OPENMETRICS2)

    def test_removed_series_has_new_start(self) -> None:
        """A series that is recorded after its removal has a new start."""
        atlas = AtlasPage(DRAWING)
        atlas.live[0].record(1, style="dark")
        (before,) = atlas.storage.family(DRAWING).cells()
        before.start_ns = 1_000_000_000
        atlas.live[0].remove(style="dark")
        atlas.live[0].record(1, style="dark")
        line = atlas.page(OPENMETRICS2)[-2]

        assert float(line.rpartition("st@")[2]) > 1

    def test_openmetrics_1_has_starts_on_request(self) -> None:
        """On request, OpenMetrics 1.0 has the start of each counter and histogram."""
        atlas = AtlasPage(SENT, MEMORY, DRAWING)
        atlas.live[0].add(2)
        atlas.live[1].set(3, style="dark")
        atlas.live[2].record(0.5, style="dark")
        page = atlas.page(OPENMETRICS_CREATED)
        created = {name: value for (name, _), value in _samples(page).items() if "_created" in name}

        assert ["atlas_drawing_seconds_created", "atlas_sent_bytes_created"] == sorted(created)
        assert all(0 < time.time() - value < 60 for value in created.values())
        assert [] == [line for line in atlas.page(OPENMETRICS) if "_created" in line]


def _samples(page: list[str]) -> Samples:
    return parse_samples("".join(f"{line}\n" for line in page), OPENMETRICS_1)


class TestExemplars:
    def test_openmetrics_shows_exemplar_of_sampled_span(self) -> None:
        """OpenMetrics shows an exemplar of a sampled span."""
        atlas = AtlasPage(SENT, DRAWING)
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(SampledSpanCounter(atlas.storage.spans))
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
    def test_impossible_value_of_counter_is_left_out_and_reported(self, value: float) -> None:
        """An impossible value of a counter is left out and reported."""
        atlas = AtlasPage(TILES)
        atlas.live[0].add(1, style="dark", kind="raster")
        family = atlas.storage.family(TILES)
        cell: SumCell = family.series(("odd", "vector"))
        cell.numbers[0] = value

        assert 3 == len(atlas.page()) - 2
        assert [("atlas_tiles_total", "value")] == atlas.faults

    def test_failing_instrument_is_left_out_and_reported(self) -> None:
        """A failing instrument is left out and reported."""
        atlas = AtlasPage(OPEN, SENT)
        atlas.live[0].add(1)
        (cell,) = atlas.storage.family(OPEN).cells()
        cell.labels = ("one", "too", "many")

        assert "atlas_open_maps" not in str(atlas.page())
        assert 'atlas_sent_bytes_total{z="1"} 0.0' == atlas.page()[-1]
        assert ("atlas_open_maps", "not exposed") in atlas.faults

    def test_failing_source_of_instruments_is_reported(self) -> None:
        """A failing source of instruments is reported and yields no families."""
        reasons: list[str] = []

        def fail() -> list[Any]:
            raise OSError("no")

        declared = DeclaredMetrics(fail, (), lambda *fault: reasons.append(fault[1]))

        assert [] == list(declared.families())
        assert ["catalogue"] == reasons


class TestSeries:
    def test_points_of_family_equal_its_lines(self) -> None:
        """The points of a family are equal to the values in the lines."""
        atlas = AtlasPage(SENT, MEMORY, DRAWING, OPEN)
        atlas.live[0].add(1)
        atlas.live[1].set(2, style="dark")
        atlas.live[2].record(0.5, style="dark")
        atlas.live[3].add(3)
        shown = [family.series() for family in atlas.declared.families()]

        assert [1.0, 2.0, (0, 1, 0), 3.0] == [
            point.value if isinstance(point, NumberPoint) else point.counts
            for series in shown
            for point in series.values()
        ]
        assert [(("kind", "vector"), ("style", "dark"), ("z", "1"))] == list(shown[1])
