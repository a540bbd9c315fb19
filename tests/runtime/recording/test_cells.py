from __future__ import annotations

import time
from bisect import bisect_left
from decimal import Decimal
from fractions import Fraction
from functools import reduce
from operator import add
from threading import Event, Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_meta.runtime.recording.cells import CounterCell, GaugeCell, HistogramCell, SumCell

finite = st.floats(allow_nan=False, allow_infinity=False, width=32)
bounds = st.lists(st.floats(0.001, 1e6), min_size=1, max_size=12, unique=True).map(sorted)


class TestCell:
    def test_series_has_its_start_time_in_nanoseconds_since_epoch(self) -> None:
        """A series has its start time in nanoseconds since the epoch."""
        before = time.time_ns()
        cell = SumCell(("a",))

        assert before <= cell.start_ns <= time.time_ns()

    def test_series_keeps_its_label_values_in_declared_order(self) -> None:
        """A series keeps its label values in declared order."""
        assert ("b", "a") == GaugeCell(("b", "a")).labels

    def test_retired_histogram_shows_its_last_numbers_and_refuses_updates(self) -> None:
        """A retired histogram shows its last numbers and refuses updates."""
        cell = HistogramCell((), (1.0,))
        cell.record(5)
        cell.retire()

        assert not cell.record(5)
        assert ([0, 1], 5.0) == cell.snapshot()

    def test_retired_gauge_shows_its_last_value_and_refuses_updates(self) -> None:
        """A retired gauge shows its last value and refuses updates."""
        cell = GaugeCell(())
        cell.set(5)
        cell.retire()

        assert not cell.set(6)
        assert 5.0 == cell.value

    @given(st.lists(finite, max_size=5))
    def test_numbers_of_any_type_are_stored_as_plain_floats(self, values: list[float]) -> None:
        """Numbers of any type are stored as plain floats."""
        cells = (SumCell(()), GaugeCell(()), HistogramCell((), (1.0,)))
        for value in values:
            cells[0].add(Fraction(value))  # type: ignore[arg-type]  # untyped callers pass these
            cells[1].set(Decimal(value))  # type: ignore[arg-type]  # likewise
            cells[2].record(value)

        assert {float} == {type(number) for cell in cells for number in cell.read()}


class TestSumCell:
    @given(st.lists(st.integers(-1000, 1000)))
    def test_sum_begins_at_zero_and_includes_every_amount(self, amounts: list[int]) -> None:
        """A sum begins at zero and includes every amount."""
        cell = SumCell(())
        for amount in amounts:
            cell.add(amount)

        assert float(sum(amounts)) == cell.value


class TestCounterCell:
    @given(st.lists(finite.filter(lambda amount: amount >= 0)))
    def test_counter_is_sum_of_its_non_negative_amounts(self, amounts: list[float]) -> None:
        """A counter is the sum of its non-negative amounts."""
        cell = CounterCell(())
        for amount in amounts:
            cell.add(amount)

        assert reduce(add, amounts, 0.0) == cell.value  # sum() is compensated since Python 3.12

    @given(finite.filter(lambda amount: amount < 0))
    def test_counter_refuses_negative_amount_and_stays_unchanged(self, amount: float) -> None:
        """A counter refuses a negative amount and stays unchanged."""
        cell = CounterCell(())

        assert not cell.add(amount)
        assert 0.0 == cell.value


class TestGaugeCell:
    def test_gauge_has_time_of_its_value_in_seconds_since_epoch(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A gauge has the time of its value in seconds since the epoch."""
        cell = GaugeCell(())
        before = cell.set_at
        monkeypatch.setattr("otel_meta.runtime.recording.cells.time.time", lambda: 1.5e9)
        cell.set(0)

        assert (0.0, 1.5e9, 0.0) == (before, cell.set_at, cell.value)

    def test_gauge_without_value_shows_none_not_zero(self) -> None:
        """A gauge without a value shows None, not zero."""
        assert GaugeCell(()).value is None


class TestHistogramCell:
    @given(bounds=bounds, values=st.lists(finite))
    def test_value_is_counted_once_in_first_bucket_with_bound(
        self, bounds: list[float], values: list[float]
    ) -> None:
        """A value is counted once, in the first bucket with a bound at or above the value."""
        cell = HistogramCell((), tuple(bounds))
        expected = [0] * (len(bounds) + 1)
        for value in values:
            cell.record(value)
            expected[next((i for i, b in enumerate(bounds) if value <= b), len(bounds))] += 1

        assert expected == cell.snapshot()[0]

    @given(bounds)
    def test_bucket_includes_its_own_upper_bound(self, bounds: list[float]) -> None:
        """A bucket includes its own upper bound."""
        cell = HistogramCell((), tuple(bounds))
        cell.record(bounds[-1])

        assert 1 == cell.snapshot()[0][bisect_left(bounds, bounds[-1])]

    def test_snapshot_does_not_change_with_later_recordings(self) -> None:
        """A snapshot does not change with later recordings."""
        cell = HistogramCell((), (1.0,))
        cell.record(0.5)
        snapshot = cell.snapshot()
        cell.record(0.5)

        assert ([1, 0], 0.5) == snapshot

    def test_counts_and_sum_of_snapshot_belong_together(self) -> None:
        """Counts and sum of a snapshot belong together while other threads record."""
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
