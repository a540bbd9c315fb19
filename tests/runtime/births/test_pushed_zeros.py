"""The zero before the first event in pushed metrics, and after a sidecar that a server scrapes."""

from __future__ import annotations

from typing import Any
from unittest import mock

from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.sdk.trace import TracerProvider

from otel_meta import Counter, Histogram, MetaRepo, labels
from otel_meta.runtime.births.zero_first import PUSH_HOLD, ZeroFirst
from otel_meta.runtime.export.producer import MetricProducer
from otel_meta.runtime.lifecycle.span_processors import SampledSpanCounter
from otel_meta.runtime.recording.faults import Faults
from otel_meta.runtime.recording.storage import MetricStorage
from otel_meta.testing import OtlpReceiver, capture
from tests.conftest import Eventually
from tests.runtime.births.test_zero_first import INTERVAL, Clock, increase


@labels
class Tenant:
    """The label of each series."""

    tenant: str


class Shop(MetaRepo, name="shop", owner="shop"):
    """Orders."""

    orders = Counter("shop.orders", "Orders.", Tenant)
    waits = Histogram("shop.waits", "Waits.", Tenant, unit="s", buckets=(1, 5))


class Service:
    """A service that pushes when the test says so."""

    def __init__(self, preference: str = "cumulative") -> None:
        self.clock = Clock()
        self.points: list[Any] = []
        """Points of the last push."""
        self.storage = MetricStorage(Faults())
        zero_first = ZeroFirst(PUSH_HOLD * INTERVAL, clock_ns=self.clock)
        self._producer = MetricProducer(
            self.storage, preference, clock_ns=self.clock, zero_first=zero_first
        )

    def record(self) -> None:
        """Count an event in a counter and in a histogram."""
        with mock.patch("time.time_ns", self.clock):
            self.storage.recorder(Shop.orders).add(1, tenant="a")
            self.storage.recorder(Shop.waits).record(3, tenant="a")
        self.clock.advance(1)

    def push(self, *, delivered: bool = True, with_values: bool = False) -> list[Any]:
        """Push; return the values of all points of the counter and counts of the histogram."""
        scope = self._producer.collect(with_values=with_values)
        self._producer.settle(delivered)
        self.points = [
            point
            for metric in scope.metrics
            if metric.name.startswith("shop")
            for point in metric.data.data_points
        ]
        return [
            getattr(point, "value", None) or getattr(point, "count", 0) for point in self.points
        ]


class TestPush:
    def test_zero_stays_for_a_scrape_interval(self) -> None:
        """A new series is pushed at zero until the zero could be scraped, then with its value."""
        service = Service()
        service.record()
        pushed = []
        for _ in range(4):
            pushed.append(service.push())
            service.clock.advance(INTERVAL / 2 + 1)

        assert [[0, 0], [0, 0], [1, 1], [1, 1]] == pushed

    def test_push_that_fails_is_no_zero(self) -> None:
        """A push that is not delivered does not count as the zero."""
        service = Service()
        service.record()
        service.push(delivered=False)
        service.clock.advance(2 * INTERVAL)

        assert [0, 0] == service.push()

    def test_flush_has_values_and_no_later_push_goes_back(self) -> None:
        """A flush has the values, and no later push goes back to zero, whoever received it."""
        service = Service()
        service.record()
        flushed = service.push(delivered=False, with_values=True)
        service.clock.advance(1)

        assert [1, 1] == flushed
        assert flushed == service.push()

    def test_deltas_have_values_at_once(self) -> None:
        """A delta is a number of events, which needs no zero."""
        service = Service("delta")
        service.record()

        assert [1, 1] == service.push()

    def test_exemplars_appear_once_with_the_first_values(self) -> None:
        """The exemplars of a new series are pushed once, with its first value."""
        service = Service()
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(SampledSpanCounter(service.storage.spans))
        with provider.get_tracer("test").start_as_current_span("a"):
            service.record()
        pushed = []
        for _ in range(4):
            service.push()
            pushed.append([len(point.exemplars) for point in service.points])
            service.clock.advance(INTERVAL / 2 + 1)

        assert [[0, 0], [0, 0], [1, 1], [0, 0]] == pushed

    @given(
        records=st.sets(st.integers(0, 200), max_size=6),
        interval=st.integers(1, 60),
        failures=st.sets(st.integers(0, 200), max_size=4),
        phase=st.integers(1, INTERVAL),
    )
    def test_server_behind_a_sidecar_counts_every_event(
        self, records: set[int], interval: int, failures: set[int], phase: int
    ) -> None:
        """A server that scrapes a sidecar counts every event, also after failed pushes."""
        service = Service()
        exposed: list[float] = []
        samples: list[float] = []
        for second in range(600):
            if second in records:
                service.record()
            else:
                service.clock.advance(1)
            if second % interval == 0:
                is_delivered = second not in failures
                points = service.push(delivered=is_delivered)
                exposed = points if is_delivered else exposed
            if second % INTERVAL == phase % INTERVAL and exposed:
                samples.append(exposed[0])

        assert len(records) == increase(samples)
        assert sorted(samples) == samples


class TestWiring:
    def test_pushes_begin_with_zero_and_shutdown_exports_the_value(
        self, eventually: Eventually
    ) -> None:
        """Pushes begin with zero, and the last export has the value."""
        with OtlpReceiver() as sink:
            with capture(
                "shop",
                Shop,
                otlp_endpoint=sink.endpoint,
                traces="none",
                logs="none",
                metric_interval=0.05,
                scrape_interval=60,
            ) as captured:
                captured.bind(Shop).orders.add(1, tenant="a")
                eventually(lambda: [0.0] == values(sink)[:1])
                pushed = set(values(sink))

            assert {0.0} == pushed
            assert 1.0 == values(sink)[-1]


def values(sink: OtlpReceiver) -> list[float]:
    """Return the received values of the orders, oldest first."""
    return [
        point.as_double
        for metric in sink.metrics()
        if metric.name == "shop.orders"
        for point in metric.sum.data_points
    ]
