from __future__ import annotations

from typing import Any

import pytest
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality, Metric
from opentelemetry.sdk.metrics import Counter as SdkCounter
from opentelemetry.sdk.metrics import ObservableCounter, UpDownCounter
from opentelemetry.sdk.metrics.export import AggregationTemporality as SdkTemporality

from otel_meta import Counter, Histogram, MetaRepo, NoLabels
from otel_meta.runtime.export.temporality import PREFERENCES
from otel_meta.testing import CapturedTelemetry, OtlpReceiver, capture

DELTA = AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA
CUMULATIVE = AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
VARIABLE = "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE"


class Atlas(MetaRepo, name="atlas-maps", owner="maps"):
    """Map tiles."""

    tiles = Counter("atlas.tiles", "Tiles.", NoLabels)
    latency = Histogram("atlas.latency", "Latency.", NoLabels, unit="s", buckets=(1, 10))


def pushing(sink: OtlpReceiver, preference: str) -> Any:
    """Capture telemetry that pushes metrics with a temporality preference."""
    environ = {VARIABLE: preference}
    return capture("maps", Atlas, otlp_endpoint=sink.endpoint, metrics="otlp", environ=environ)


def sent(sink: OtlpReceiver, name: str) -> list[Metric]:
    """Return each export of a metric, oldest first."""
    return [metric for metric in sink.metrics() if metric.name == name]


def sdk_counter(captured: CapturedTelemetry) -> Any:
    """Return a counter as another library creates one."""
    assert captured.telemetry.metrics is not None
    return captured.telemetry.metrics.provider.get_meter("library").create_counter("library.calls")


class TestPreferences:
    @pytest.mark.parametrize(
        ("preference", "expected"),
        [
            ("cumulative", (SdkTemporality.CUMULATIVE,) * 3),
            ("delta", (SdkTemporality.DELTA, SdkTemporality.DELTA, SdkTemporality.CUMULATIVE)),
            (
                "lowmemory",
                (SdkTemporality.DELTA, SdkTemporality.CUMULATIVE, SdkTemporality.CUMULATIVE),
            ),
        ],
    )
    def test_each_preference_sets_temporality_that_standard_demands(
        self, preference: str, expected: tuple[SdkTemporality, ...]
    ) -> None:
        """Each preference sets the temporality that the standard demands."""
        kinds = (SdkCounter, ObservableCounter, UpDownCounter)

        assert expected == tuple(PREFERENCES[preference][kind] for kind in kinds)


class TestReceived:
    def test_under_delta_our_counters_and_sdks_counters_send_changes(self) -> None:
        """Under delta, our counters and the SDK's counters send changes."""
        with OtlpReceiver() as sink, pushing(sink, "delta") as captured:
            ours, theirs = captured.bind(Atlas).tiles, sdk_counter(captured)
            for amount in (5, 7):
                ours.add(amount)
                theirs.add(amount)
                captured.telemetry.flush()
            tiles, calls = sent(sink, "atlas.tiles"), sent(sink, "library.calls")

        assert {DELTA} == {m.sum.aggregation_temporality for m in (*tiles, *calls)}
        assert [5.0, 7.0] == [p.as_double for m in tiles for p in m.sum.data_points]
        assert [5, 7] == [p.as_int for m in calls for p in m.sum.data_points]

    def test_interval_of_delta_begins_at_end_of_previous_interval(self) -> None:
        """The interval of a delta begins at the end of the previous interval."""
        with OtlpReceiver() as sink, pushing(sink, "delta") as captured:
            for _ in range(3):
                captured.bind(Atlas).latency.record(1)
                captured.telemetry.flush()
            points = [p for m in sent(sink, "atlas.latency") for p in m.histogram.data_points]

        assert [p.time_unix_nano for p in points[:-1]] == [
            p.start_time_unix_nano for p in points[1:]
        ]
        assert [[1, 0, 0]] * 3 == [list(p.bucket_counts) for p in points]

    def test_without_preference_counters_are_cumulative_since_one_start(self) -> None:
        """Without a preference, counters are cumulative since one start."""
        with OtlpReceiver() as sink, pushing(sink, "") as captured:
            ours, theirs = captured.bind(Atlas).tiles, sdk_counter(captured)
            for amount in (5, 7):
                ours.add(amount)
                theirs.add(amount)
                captured.telemetry.flush()
            tiles, calls = sent(sink, "atlas.tiles"), sent(sink, "library.calls")
        points = [p for m in tiles for p in m.sum.data_points]

        assert {CUMULATIVE} == {m.sum.aggregation_temporality for m in (*tiles, *calls)}
        assert [5.0, 12.0] == [p.as_double for p in points][:2]
        assert 1 == len({p.start_time_unix_nano for p in points})

    def test_scrape_is_cumulative_under_every_preference(self) -> None:
        """A scrape is cumulative under every preference."""
        with OtlpReceiver() as sink:
            environ = {VARIABLE: "delta"}
            ways = {"metrics": ("otlp", "prometheus"), "otlp_endpoint": sink.endpoint}
            with capture("maps", Atlas, environ=environ, **ways) as captured:
                for _ in range(2):
                    captured.bind(Atlas).tiles.add(1)
                    captured.telemetry.flush()
                lines = captured.prometheus_text().splitlines()

        (line,) = (line for line in lines if line.startswith("atlas_tiles_total{"))
        assert 2.0 == float(line.split()[-1])

    def test_receiver_gets_exemplars_with_ids_of_span(self) -> None:
        """A receiver gets exemplars with the ids of the span."""
        with OtlpReceiver() as sink, pushing(sink, "cumulative") as captured:
            assert captured.telemetry.traces is not None
            tracer = captured.telemetry.traces.provider.get_tracer("test")
            with tracer.start_as_current_span("draw") as span:
                captured.bind(Atlas).latency.record(5)
            captured.telemetry.flush()
            (metric, *_) = sent(sink, "atlas.latency")
        (exemplar,) = metric.histogram.data_points[0].exemplars

        assert (5.0, span.get_span_context().trace_id) == (
            exemplar.as_double,
            int.from_bytes(exemplar.trace_id),
        )
