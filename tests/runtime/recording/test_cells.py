from __future__ import annotations

import time
from bisect import bisect_left
from decimal import Decimal
from fractions import Fraction
from threading import Event, Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_meta.runtime.recording.cells import CounterCell, GaugeCell, HistogramCell, SumCell

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
        assert ("b", "a") == GaugeCell(("b", "a")).labels

    def test_retired(self) -> None:
        """A retired series shows its last numbers and takes no further ones."""
        cell = HistogramCell((), (1.0,))
        cell.record(5)
        cell.retire()

        with pytest.raises(TypeError):
            cell.record(5)
        assert ([0, 1], 5.0) == cell.snapshot()

    def test_retired_gauge(self) -> None:
        """A retired gauge shows its last value."""
        cell = GaugeCell(())
        cell.set(5)
        cell.retire()

        with pytest.raises(TypeError):
            cell.set(6)
        assert 5.0 == cell.value

    @given(st.lists(finite, max_size=5))
    def test_plain(self, values: list[float]) -> None:
        """What is kept is plain floats, whatever was recorded."""
        cells = (SumCell(()), GaugeCell(()), HistogramCell((), (1.0,)))
        for value in values:
            cells[0].add(Fraction(value))
            cells[1].set(Decimal(value))
            cells[2].record(value)

        assert {float} == {type(number) for cell in cells for number in cell.read()}


class TestSumCell:
    @given(st.lists(st.integers(-1000, 1000)))
    def test_sum(self, amounts: list[int]) -> None:
        """A sum begins at zero, and everything added is in it."""
        cell = SumCell(())
        for amount in amounts:
            cell.add(amount)

        assert float(sum(amounts)) == cell.value


class TestCounterCell:
    @given(st.lists(finite.filter(lambda amount: amount >= 0)))
    def test_sum(self, amounts: list[float]) -> None:
        """A counter is a sum of what is not negative."""
        cell = CounterCell(())
        for amount in amounts:
            cell.add(amount)

        assert sum(amounts) == cell.value

    @given(finite.filter(lambda amount: amount < 0))
    def test_negative(self, amount: float) -> None:
        """What is negative is refused, and leaves no trace."""
        cell = CounterCell(())

        with pytest.raises(ValueError, match="is not a finite amount of at least 0"):
            cell.add(amount)
        assert 0.0 == cell.value


class TestLatestCell:
    def test_set_at(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A gauge knows when it was set, in seconds since the epoch."""
        cell = GaugeCell(())
        before = cell.set_at
        monkeypatch.setattr("otel_meta.runtime.recording.cells.time.time", lambda: 1.5e9)
        cell.set(0)

        assert (0.0, 1.5e9, 0.0) == (before, cell.set_at, cell.value)

    def test_unset(self) -> None:
        """A gauge that was never set has no value, which is not zero."""
        assert GaugeCell(()).value is None


class TestBucketCell:
    @given(bounds=bounds, values=st.lists(finite))
    def test_buckets(self, bounds: list[float], values: list[float]) -> None:
        """A value is counted once, in the first bucket whose bound is not below it."""
        cell = HistogramCell((), tuple(bounds))
        expected = [0] * (len(bounds) + 1)
        for value in values:
            cell.record(value)
            expected[next((i for i, b in enumerate(bounds) if value <= b), len(bounds))] += 1

        assert expected == cell.snapshot()[0]

    @given(bounds)
    def test_bound(self, bounds: list[float]) -> None:
        """A bucket holds its own upper bound."""
        cell = HistogramCell((), tuple(bounds))
        cell.record(bounds[-1])

        assert 1 == cell.snapshot()[0][bisect_left(bounds, bounds[-1])]

    def test_snapshot(self) -> None:
        """A snapshot stays as it was when taken."""
        cell = HistogramCell((), (1.0,))
        cell.record(0.5)
        snapshot = cell.snapshot()
        cell.record(0.5)

        assert ([1, 0], 0.5) == snapshot

    def test_one_moment(self) -> None:
        """Counts and sum of a snapshot belong together, whatever other threads record."""
        cell = HistogramCell((), (2.0,))
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
