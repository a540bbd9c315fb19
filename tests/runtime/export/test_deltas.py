from __future__ import annotations

from otel_meta.runtime.export.deltas import DeltaState, Reading
from otel_meta.runtime.recording.cells import SumCell


def cell_with(amount: float) -> SumCell:
    """A series that has counted."""
    cell = SumCell(())
    cell.add(amount)
    return cell


class TestCumulative:
    def test_total(self) -> None:
        """A total is everything since the series began, at each look."""
        cell, deltas = cell_with(5), DeltaState()
        for _ in range(2):
            deltas.begin_collection(2**62)

            assert Reading(cell.start_ns, (5.0,)) == deltas.cumulative(cell)


class TestDelta:
    def test_first(self) -> None:
        """At the first look everything is a change, since the series began."""
        cell, deltas = cell_with(5), DeltaState()
        deltas.begin_collection(2**62)

        assert Reading(cell.start_ns, (5.0,)) == deltas.delta(cell)

    def test_second(self) -> None:
        """Later, a change is since the last look."""
        cell, deltas = cell_with(5), DeltaState()
        deltas.begin_collection(2**62)
        deltas.delta(cell)
        cell.add(2)
        deltas.begin_collection(2**62 + 1)

        assert Reading(2**62, (2.0,)) == deltas.delta(cell)

    def test_back(self) -> None:
        """What went down and up again by the same is no change."""
        cell, deltas = cell_with(5), DeltaState()
        deltas.begin_collection(2**62)
        deltas.delta(cell)
        cell.add(-1)
        cell.add(1)
        deltas.begin_collection(2**62 + 1)

        assert deltas.delta(cell) is None

    def test_nothing(self) -> None:
        """A series that never counted has not changed."""
        deltas = DeltaState()
        deltas.begin_collection(2**62)

        assert deltas.delta(SumCell(())) is None

    def test_younger(self) -> None:
        """A series that began while the look went on has no interval before its beginning."""
        deltas = DeltaState()
        deltas.begin_collection(1)
        cell = cell_with(5)
        deltas.delta(cell)
        cell.add(1)
        deltas.begin_collection(2**62)

        assert Reading(cell.start_ns, (1.0,)) == deltas.delta(cell)

    def test_gone(self) -> None:
        """A series that was not looked at is forgotten."""
        cell, deltas = cell_with(5), DeltaState()
        for now in (1, 2):
            deltas.begin_collection(now)
            if now == 1:
                deltas.delta(cell)
        deltas.begin_collection(3)

        assert Reading(cell.start_ns, (5.0,)) == deltas.delta(cell)
