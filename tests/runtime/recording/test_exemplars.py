from __future__ import annotations

import time

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import Span, TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, Sampler
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, Tracer

from otel_meta import Counter, Gauge, Histogram, NoLabels, UpDownCounter
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
    """A service with one counter and one histogram, and a tracer."""

    def __init__(self, sampler: Sampler = ALWAYS_ON) -> None:
        self.storage = MetricStorage(Faults())
        self.provider = TracerProvider(sampler, shutdown_on_exit=False)
        self.provider.add_span_processor(self.storage.spans)
        self.tracer: Tracer = self.provider.get_tracer("test")
        self.add = self.storage.recorder(COUNTER).add
        self.record = self.storage.recorder(HISTOGRAM).record

    @property
    def counter(self) -> CounterCell:
        """The counter's series."""
        return next(iter(self.storage.family(COUNTER).cells()))

    @property
    def histogram(self) -> HistogramCell:
        """The histogram's series."""
        return next(iter(self.storage.family(HISTOGRAM).cells()))

    def collect(self) -> None:
        """Do as any reader does."""
        list(self.storage.families())


@pytest.fixture
def it() -> Bench:
    """A service whose spans are all sampled."""
    return Bench()


class TestCounter:
    def test_span(self, it: Bench) -> None:
        """What is added in a sampled span is kept with the span, the amount and the time."""
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

    def test_once(self, it: Bench) -> None:
        """Between two collections the first is kept."""
        for amount in (1, 2):
            with it.tracer.start_as_current_span("a"):
                it.add(amount)

        assert it.counter.exemplar is not None
        assert 1.0 == it.counter.exemplar.value

    def test_replaced(self, it: Bench) -> None:
        """After a collection the next replaces it, and until then it stays."""
        with it.tracer.start_as_current_span("a"):
            it.add(1)
            it.collect()
            kept = it.counter.exemplar
            it.add(2)
        replaced = it.counter.exemplar

        assert kept is not None
        assert replaced is not None
        assert (1.0, 2.0) == (kept.value, replaced.value)

    def test_refused(self, it: Bench) -> None:
        """What is not counted is shown by nothing."""
        with it.tracer.start_as_current_span("a"):
            it.add(-1)

        assert it.counter.exemplar is None


class TestHistogram:
    def test_bucket(self, it: Bench) -> None:
        """Each bucket has its own, the unbounded one too."""
        with it.tracer.start_as_current_span("a"):
            for value in (0.5, 0.6, 1, 99):
                it.record(value)

        assert {0: 0.5, 2: 99.0} == {n: e.value for n, e in it.histogram.exemplars.items()}

    def test_replaced(self, it: Bench) -> None:
        """After a collection each bucket's is replaced when the bucket is met again."""
        with it.tracer.start_as_current_span("a"):
            it.record(0.5)
            it.record(99)
            it.collect()
            it.record(0.6)

        assert {0: 0.6, 2: 99.0} == {n: e.value for n, e in it.histogram.exemplars.items()}

    def test_reading(self, it: Bench) -> None:
        """Whoever reads them while others come reads on."""
        with it.tracer.start_as_current_span("a"):
            it.record(0.5)
            seen: list[tuple[int, Exemplar]] = []
            for pair in it.histogram.exemplars.items():
                it.record(99)
                seen.append(pair)

        assert [0] == [bucket for bucket, _ in seen]


class TestNone:
    def test_no_span(self, it: Bench) -> None:
        """Without a span there is none."""
        it.add(1)
        it.record(1)

        assert (None, {}) == (it.counter.exemplar, it.histogram.exemplars)

    def test_elsewhere(self, it: Bench) -> None:
        """A span that lives and is not current shows nothing."""
        span = it.tracer.start_span("a")
        it.add(1)
        span.end()

        assert it.counter.exemplar is None

    def test_unsampled(self) -> None:
        """A span that is not sampled shows nothing, nor keeps anybody looking."""
        it = Bench(ALWAYS_OFF)
        with it.tracer.start_as_current_span("a"):
            it.add(1)
            assert 0 == it.storage.spans.live

        assert it.counter.exemplar is None

    def test_within(self, it: Bench) -> None:
        """Nor does an unsampled span that is current while a sampled one lives."""
        context = SpanContext(1, 2, is_remote=False, trace_flags=TraceFlags(0))
        with (
            it.tracer.start_as_current_span("a"),
            trace.use_span(NonRecordingSpan(context)),
        ):
            it.add(1)

        assert it.counter.exemplar is None

    @pytest.mark.parametrize("instrument", [UP_DOWN, GAUGE], ids=lambda i: i.kind)
    def test_kinds(self, it: Bench, instrument: UpDownCounter[...] | Gauge[...]) -> None:
        """What goes up and down has none."""
        live = it.storage.recorder(instrument)
        with it.tracer.start_as_current_span("a"):
            (live.add if instrument is UP_DOWN else live.set)(1)
        (cell,) = it.storage.family(instrument).cells()

        assert getattr(cell, "exemplar", None) is None


class TestLive:
    def test_count(self, it: Bench) -> None:
        """Live spans are counted in when they start and out when they end."""
        spans = it.storage.spans
        with it.tracer.start_as_current_span("a"), it.tracer.start_as_current_span("b"):
            inside = spans.live

        assert (2, 0) == (inside, spans.live)

    def test_lookup(self, it: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
        """The current span is looked up once a collection, and never without a live one."""
        looked: list[float] = []
        take = SampledSpans.exemplar
        monkeypatch.setattr(
            SampledSpans, "exemplar", lambda self, v: looked.append(v) or take(self, v)
        )
        it.add(1)
        with it.tracer.start_as_current_span("a"):
            for _ in range(5):
                it.add(2)
                it.record(3)

        assert [2, 3] == looked


class TestSetUp:
    @pytest.mark.parametrize(
        ("chosen", "shown"), [("trace_based", True), ("always_on", True), ("always_off", False)]
    )
    def test_filter(self, chosen: str, shown: bool) -> None:
        """The standard variable turns them off; otherwise sampled spans show."""
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
