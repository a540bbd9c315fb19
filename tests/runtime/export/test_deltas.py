from __future__ import annotations

from otel_meta.runtime.export.deltas import DeltaState, Reading
from otel_meta.runtime.recording.cells import SumCell


def cell_with(amount: float) -> SumCell:
    """Return a series with a count."""
    cell = SumCell(())
    cell.add(amount)
    return cell


class TestCumulative:
    def test_every_collection_reads_numbers_since_start_of_series(self) -> None:
        """Every collection reads the numbers since the start of the series."""
        cell, deltas = cell_with(5), DeltaState()
        for _ in range(2):
            deltas.begin_collection(2**62)

            assert Reading(cell.start_ns, (5.0,)) == deltas.cumulative(cell)


class TestDelta:
    def test_first_delta_of_series_counts_from_its_start(self) -> None:
        """The first delta of a series counts from its start."""
        cell, deltas = cell_with(5), DeltaState()
        deltas.begin_collection(2**62)

        assert Reading(cell.start_ns, (5.0,)) == deltas.delta(cell)

    def test_later_delta_counts_from_last_delivered_collection(self) -> None:
        """A later delta counts from the last delivered collection."""
        cell, deltas = cell_with(5), DeltaState()
        deltas.begin_collection(2**62)
        deltas.delta(cell)
        deltas.end_collection(delivered=True)
        cell.add(2)
        deltas.begin_collection(2**62 + 1)

        assert Reading(2**62, (2.0,)) == deltas.delta(cell)

    def test_delta_includes_collections_that_were_not_delivered(self) -> None:
        """A delta includes the numbers of collections that were not delivered."""
        cell, deltas = cell_with(5), DeltaState()
        for now in (2**62, 2**62 + 1):
            deltas.begin_collection(now)
            deltas.delta(cell)
            deltas.end_collection(delivered=False)
            cell.add(2)
        deltas.begin_collection(2**62 + 2)

        assert Reading(cell.start_ns, (9.0,)) == deltas.delta(cell)

    def test_series_with_equal_numbers_at_two_collections_has_no_delta(self) -> None:
        """A series with equal numbers at two collections has no delta."""
        cell, deltas = cell_with(5), DeltaState()
        deltas.begin_collection(2**62)
        deltas.delta(cell)
        deltas.end_collection(delivered=True)
        cell.add(-1)
        cell.add(1)
        deltas.begin_collection(2**62 + 1)

        assert deltas.delta(cell) is None

    def test_series_of_zeros_has_no_delta(self) -> None:
        """A series of zeros has no delta."""
        deltas = DeltaState()
        deltas.begin_collection(2**62)

        assert deltas.delta(SumCell(())) is None

    def test_interval_of_series_that_starts_during_collection_begins(self) -> None:
        """The interval of a series that starts during a collection begins at its start."""
        deltas = DeltaState()
        deltas.begin_collection(1)
        cell = cell_with(5)
        deltas.delta(cell)
        deltas.end_collection(delivered=True)
        cell.add(1)
        deltas.begin_collection(2**62)

        assert Reading(cell.start_ns, (1.0,)) == deltas.delta(cell)

    def test_series_that_one_collection_leaves_out_is_forgotten(self) -> None:
        """A series that one collection leaves out is forgotten."""
        cell, deltas = cell_with(5), DeltaState()
        for now in (1, 2):
            deltas.begin_collection(now)
            if now == 1:
                deltas.delta(cell)
            deltas.end_collection(delivered=True)
        deltas.begin_collection(3)

        assert Reading(cell.start_ns, (5.0,)) == deltas.delta(cell)
