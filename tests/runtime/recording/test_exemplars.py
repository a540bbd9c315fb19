from __future__ import annotations

import time
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import Span, TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, Sampler
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, Tracer

from otel_meta import Counter, Gauge, Histogram, NoLabels, UpDownCounter
from otel_meta.runtime.lifecycle.span_processors import SampledSpanCounter
from otel_meta.runtime.recording.cells import CounterCell, HistogramCell
from otel_meta.runtime.recording.exemplars import Exemplar, SampledSpans
from otel_meta.runtime.recording.faults import Faults
from otel_meta.runtime.recording.storage import MetricStorage
from otel_meta.testing import capture

COUNTER = Counter("acme.requests", "Requests.", NoLabels)
UP_DOWN = UpDownCounter("acme.connections", "Connections.", NoLabels)
GAUGE = Gauge("acme.level", "A level.", NoLabels)
HISTOGRAM = Histogram("acme.size", "A size.", NoLabels, buckets=(1, 10))


class Bench:
    """A counter, a histogram and a tracer."""

    def __init__(self, sampler: Sampler = ALWAYS_ON) -> None:
        self.storage = MetricStorage(Faults())
        self.provider = TracerProvider(sampler, shutdown_on_exit=False)
        self.provider.add_span_processor(SampledSpanCounter(self.storage.spans))
        self.tracer: Tracer = self.provider.get_tracer("test")
        self.add = self.storage.recorder(COUNTER).add
        self.record = self.storage.recorder(HISTOGRAM).record

    @property
    def counter(self) -> CounterCell:
        """The series of the counter."""
        cell: CounterCell = next(self.storage.family(COUNTER).cells())
        return cell

    @property
    def histogram(self) -> HistogramCell:
        """The series of the histogram."""
        cell: HistogramCell = next(self.storage.family(HISTOGRAM).cells())
        return cell

    def collect(self) -> None:
        """Collect all series, as a reader does."""
        list(self.storage.families())


@pytest.fixture
def it() -> Bench:
    """Return instruments with a tracer that samples every span."""
    return Bench()


class TestCounter:
    def test_exemplar_has_amount_time_and_sampled_span(self, it: Bench) -> None:
        """An exemplar has the amount, the time and the sampled span."""
        before = time.time_ns()
        with it.tracer.start_as_current_span("a") as span:
            it.add(2)
        ids = span.get_span_context()
        exemplar = it.counter.exemplar

        assert exemplar is not None
        assert (2.0, ids.trace_id, ids.span_id) == (
            exemplar.value,
            exemplar.trace_id,
            exemplar.span_id,
        )
        assert float is type(exemplar.value)
        assert before <= exemplar.time_ns <= time.time_ns()

    def test_first_exemplar_between_two_collections_is_kept(self, it: Bench) -> None:
        """The first exemplar between two collections is kept."""
        for amount in (1, 2):
            with it.tracer.start_as_current_span("a"):
                it.add(amount)

        assert it.counter.exemplar is not None
        assert 1.0 == it.counter.exemplar.value

    def test_exemplar_is_replaced_by_first_one_after_collection(self, it: Bench) -> None:
        """An exemplar is replaced by the first one after a collection."""
        with it.tracer.start_as_current_span("a"):
            it.add(1)
            it.collect()
            kept = it.counter.exemplar
            it.add(2)
        replaced = it.counter.exemplar

        assert kept is not None
        assert replaced is not None
        assert (1.0, 2.0) == (kept.value, replaced.value)

    def test_refused_amount_leaves_no_exemplar(self, it: Bench) -> None:
        """A refused amount leaves no exemplar."""
        with it.tracer.start_as_current_span("a"):
            it.add(-1)

        assert it.counter.exemplar is None


class TestHistogram:
    def test_each_bucket_has_its_own_exemplar_unbounded_one_too(self, it: Bench) -> None:
        """Each bucket has its own exemplar, the unbounded one too."""
        with it.tracer.start_as_current_span("a"):
            for value in (0.5, 0.6, 1, 99):
                it.record(value)

        assert {0: 0.5, 2: 99.0} == {n: e.value for n, e in it.histogram.exemplars.items()}

    def test_after_collection_next_value_of_bucket_replaces_its_exemplar(self, it: Bench) -> None:
        """After a collection, the next value of a bucket replaces its exemplar."""
        with it.tracer.start_as_current_span("a"):
            it.record(0.5)
            it.record(99)
            it.collect()
            it.record(0.6)

        assert {0: 0.6, 2: 99.0} == {n: e.value for n, e in it.histogram.exemplars.items()}

    def test_reader_may_iterate_over_exemplars_while_new_one_arrives(self, it: Bench) -> None:
        """A reader may iterate over exemplars while a new one arrives."""
        with it.tracer.start_as_current_span("a"):
            it.record(0.5)
            seen: list[tuple[int, Exemplar]] = []
            for pair in it.histogram.exemplars.items():
                it.record(99)
                seen.append(pair)

        assert [0] == [bucket for bucket, _ in seen]


class TestNone:
    def test_recording_without_span_leaves_no_exemplar(self, it: Bench) -> None:
        """A recording without a span leaves no exemplar."""
        it.add(1)
        it.record(1)

        assert (None, {}) == (it.counter.exemplar, it.histogram.exemplars)

    def test_live_span_that_is_not_current_gives_no_exemplar(self, it: Bench) -> None:
        """A live span that is not current gives no exemplar."""
        span = it.tracer.start_span("a")
        it.add(1)
        span.end()

        assert it.counter.exemplar is None

    def test_unsampled_span_gives_no_exemplar_and_does_not_count(self) -> None:
        """An unsampled span gives no exemplar and does not count as live."""
        it = Bench(ALWAYS_OFF)
        with it.tracer.start_as_current_span("a"):
            it.add(1)
            assert 0 == it.storage.spans.live

        assert it.counter.exemplar is None

    def test_unsampled_current_span_gives_no_exemplar(self, it: Bench) -> None:
        """An unsampled current span gives no exemplar while a sampled one is live."""
        context = SpanContext(1, 2, is_remote=False, trace_flags=TraceFlags(0))
        with (
            it.tracer.start_as_current_span("a"),
            trace.use_span(NonRecordingSpan(context)),
        ):
            it.add(1)

        assert it.counter.exemplar is None

    @pytest.mark.parametrize("instrument", [UP_DOWN, GAUGE], ids=lambda i: i.kind)
    def test_gauges_and_up_down_counters_have_no_exemplars(
        self, it: Bench, instrument: UpDownCounter[...] | Gauge[...]
    ) -> None:
        """Gauges and up-down counters have no exemplars."""
        live: Any = it.storage.recorder(instrument)
        with it.tracer.start_as_current_span("a"):
            (live.add if instrument is UP_DOWN else live.set)(1)
        (cell,) = it.storage.family(instrument).cells()

        assert getattr(cell, "exemplar", None) is None


class TestLive:
    def test_number_of_live_spans_follows_their_starts_and_ends(self, it: Bench) -> None:
        """The number of live spans follows their starts and ends."""
        spans = it.storage.spans
        with it.tracer.start_as_current_span("a"), it.tracer.start_as_current_span("b"):
            inside = spans.live

        assert (2, 0) == (inside, spans.live)

    def test_current_span_is_looked_up_once_collection_and_only(
        self, it: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The current span is looked up once a collection, and only if a span is live."""
        lookups: list[float] = []
        exemplar = SampledSpans.exemplar

        def look_up(spans: SampledSpans, value: float) -> Exemplar | None:
            lookups.append(value)
            return exemplar(spans, value)

        monkeypatch.setattr(SampledSpans, "exemplar", look_up)
        it.add(1)
        with it.tracer.start_as_current_span("a"):
            for _ in range(5):
                it.add(2)
                it.record(3)

        assert [2, 3] == lookups


class TestSetUp:
    @pytest.mark.parametrize(
        ("chosen", "shown"), [("trace_based", True), ("always_on", True), ("always_off", False)]
    )
    def test_standard_environment_variable_turns_exemplars_off(
        self, chosen: str, shown: bool
    ) -> None:
        """The standard environment variable turns exemplars off."""
        with capture(environ={"OTEL_METRICS_EXEMPLAR_FILTER": chosen}) as captured:
            telemetry = captured.telemetry
            assert telemetry.traces is not None
            with telemetry.traces.provider.get_tracer("test").start_as_current_span("a") as span:
                telemetry.storage.recorder(COUNTER).add(1)
            (cell,) = telemetry.storage.family(COUNTER).cells()
            ids = span.get_span_context()

        assert isinstance(span, Span)
        assert ([ids.trace_id] if shown else []) == [
            exemplar.trace_id for exemplar in [cell.exemplar] if exemplar
        ]
