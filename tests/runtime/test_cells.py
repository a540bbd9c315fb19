from __future__ import annotations

import time
from bisect import bisect_left
from threading import Event, Thread

from hypothesis import given
from hypothesis import strategies as st

from otel_meta.runtime.cells import BucketCell, LatestCell, SumCell

finite = st.floats(allow_nan=False, allow_infinity=False, width=32)
bounds = st.lists(st.floats(0.001, 1e6), min_size=1, max_size=12, unique=True).map(sorted)


class TestCell:
    def test_start(self) -> None:
        """A series knows when it began, in nanoseconds since the epoch."""
        before = time.time_ns()
        cell = SumCell(("a",))

        assert before <= cell.start_ns <= time.time_ns()

    def test_labels(self) -> None:
        """A series keeps its label values in declared order."""
        assert ("b", "a") == LatestCell(("b", "a")).labels


class TestSumCell:
    @given(st.lists(st.integers(-1000, 1000)))
    def test_sum(self, amounts: list[int]) -> None:
        """A sum begins at zero, and everything added is in it."""
        cell = SumCell(())
        for amount in amounts:
            cell.add(amount)

        assert float(sum(amounts)) == cell.value


class TestLatestCell:
    def test_unset(self) -> None:
        """A gauge that was never set has no value, which is not zero."""
        assert LatestCell(()).value is None


class TestBucketCell:
    @given(bounds=bounds, values=st.lists(finite))
    def test_buckets(self, bounds: list[float], values: list[float]) -> None:
        """A value is counted once, in the first bucket whose bound is not below it."""
        cell = BucketCell((), tuple(bounds))
        expected = [0] * (len(bounds) + 1)
        for value in values:
            cell.record(value)
            expected[next((i for i, b in enumerate(bounds) if value <= b), len(bounds))] += 1

        assert expected == cell.counts

    @given(bounds)
    def test_bound(self, bounds: list[float]) -> None:
        """A bucket holds its own upper bound."""
        cell = BucketCell((), tuple(bounds))
        cell.record(bounds[-1])

        assert 1 == cell.counts[bisect_left(bounds, bounds[-1])]

    def test_snapshot(self) -> None:
        """A snapshot stays as it was when taken."""
        cell = BucketCell((), (1.0,))
        cell.record(0.5)
        snapshot = cell.snapshot()
        cell.record(0.5)

        assert ([1, 0], 0.5) == snapshot

    def test_one_moment(self) -> None:
        """Counts and sum of a snapshot belong together, whatever other threads record."""
        cell = BucketCell((), (2.0,))
        done = Event()

        def record() -> None:
            while not done.is_set():
                cell.record(1.0)

        threads = [Thread(target=record) for _ in range(2)]
        for thread in threads:
            thread.start()
        snapshots = [cell.snapshot() for _ in range(2000)]
        done.set()
        for thread in threads:
            thread.join()

        assert [] == [(counts, total) for counts, total in snapshots if sum(counts) != total]
