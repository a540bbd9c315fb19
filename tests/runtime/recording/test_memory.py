from __future__ import annotations

from collections.abc import MutableSequence

import pytest

from otel_meta import Counter, Gauge, Histogram, labels
from otel_meta.model import Instrument
from otel_meta.runtime.recording.faults import Faults
from otel_meta.runtime.recording.memory import HeapAllocator, Placeable, zeros
from otel_meta.runtime.recording.storage import MetricStorage


@labels
class Route:
    route: str


COUNTER = Counter("acme.requests", "Requests.", Route)
GAUGE = Gauge("acme.level", "A level.", Route)
HISTOGRAM = Histogram("acme.size", "A size.", Route, buckets=(1, 10))

Key = tuple[str, tuple[str, ...]]


class RecordingAllocator(HeapAllocator):
    """An allocator that remembers its allocations, up to a limit."""

    zeros = staticmethod(zeros)

    def __init__(self, limit: int = 1000) -> None:
        self.limit = limit
        self.allocated: dict[Key, MutableSequence[float]] = {}
        self.freed: list[Key] = []

    def place(self, instrument: Instrument[...], series: Placeable) -> None:
        """Allocate zeros, and fail at the limit."""
        if instrument in (COUNTER, GAUGE, HISTOGRAM):
            if len(self.allocated) == self.limit:
                raise OSError(28, "No space left on device")
            numbers = self.allocated[instrument.name, series.labels] = zeros(len(series.numbers))
            series.move(numbers)

    def free(self, instrument: Instrument[...], labels: tuple[str, ...]) -> None:
        """Remember the freed series."""
        self.freed.append((instrument.name, labels))


class TestLayout:
    def test_counter_is_stored_as_its_sum(self) -> None:
        """A counter is stored as its sum."""
        allocator = RecordingAllocator()
        MetricStorage(Faults(), allocator).recorder(COUNTER).add(3, route="/")

        assert {("acme.requests", ("/",)): [3.0]} == {
            k: list(v) for k, v in allocator.allocated.items()
        }

    def test_gauge_is_stored_as_its_value_and_its_time(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A gauge is stored as its value and its time."""
        monkeypatch.setattr("otel_meta.runtime.recording.cells.time.time", lambda: 1e9)
        allocator = RecordingAllocator()
        MetricStorage(Faults(), allocator).recorder(GAUGE).set(-3, route="/")

        assert [[-3.0, 1e9]] == [list(numbers) for numbers in allocator.allocated.values()]

    def test_histogram_is_stored_as_counts_of_all_buckets_and_sum(self) -> None:
        """A histogram is stored as the counts of all buckets and the sum of the values."""
        allocator = RecordingAllocator()
        live = MetricStorage(Faults(), allocator).recorder(HISTOGRAM)
        for value in (0.5, 1, 5, 50):
            live.record(value, route="/")

        assert [[2.0, 1.0, 1.0, 56.5]] == [
            list(numbers) for numbers in allocator.allocated.values()
        ]

    def test_numbers_may_be_slice_of_mapped_memory(self) -> None:
        """Numbers may be a slice of mapped memory."""

        class Mapped(HeapAllocator):
            zeros = staticmethod(zeros)
            memory = bytearray(8 * 100)
            used = 0

            def place(self, instrument: Instrument[...], series: Placeable) -> None:
                """Move the series to the next slice."""
                start, self.used = self.used, self.used + len(series.numbers)
                series.move(memoryview(self.memory).cast("d")[start : self.used])  # type: ignore[arg-type]

        live = MetricStorage(Faults(), Mapped())
        live.recorder(HISTOGRAM).record(5, route="/")
        live.recorder(COUNTER).add(3, route="/")
        doubles = memoryview(Mapped.memory).cast("d")

        assert [0.0, 1.0, 0.0, 5.0, 3.0] == doubles[:5].tolist()


class TestFull:
    def test_series_without_shared_memory_uses_heap(self) -> None:
        """A series without shared memory uses the heap, and the fault is counted."""
        storage = MetricStorage(Faults(), RecordingAllocator(limit=1))
        live = storage.recorder(COUNTER)
        for route in "abb":
            live.add(1, route=route)

        assert {("a",): 1.0, ("b",): 2.0} == {
            cell.labels: cell.value for cell in storage.family(COUNTER).cells()
        }
        assert {("acme_requests_total", "allocation"): 1.0} == {
            cell.labels: cell.value for cell in storage.faults.family.cells()
        }

    def test_faults_are_counted_without_shared_memory_too(self) -> None:
        """Faults are counted without shared memory, too."""

        class Full(HeapAllocator):
            def place(self, instrument: Instrument[...], series: Placeable) -> None:
                """Fail."""
                raise OSError(28, "No space left on device")

        storage = MetricStorage(Faults(Full()), Full())
        storage.recorder(COUNTER).add(1, route="a")

        assert 1.0 == storage.faults.count()


class TestFree:
    def test_numbers_of_removed_series_are_freed(self) -> None:
        """The numbers of a removed series are freed, and nothing is written to them."""
        allocator = RecordingAllocator()
        live = MetricStorage(Faults(), allocator).recorder(COUNTER)
        handle = live.with_labels(route="/")
        handle.add(1)
        old = allocator.allocated["acme.requests", ("/",)]
        live.remove(route="/")
        handle.add(5)

        assert [("acme.requests", ("/",))] == allocator.freed
        assert [1.0] == list(old)
        assert [5.0] == list(allocator.allocated["acme.requests", ("/",)])

    def test_removal_of_unknown_series_frees_nothing(self) -> None:
        """Removal of an unknown series frees nothing."""
        allocator = RecordingAllocator()
        MetricStorage(Faults(), allocator).recorder(COUNTER).remove(route="/")

        assert [] == allocator.freed
