from __future__ import annotations

from otel_meta.runtime.export.deltas import Reading
from otel_meta.runtime.export.job_deltas import JobDeltas
from otel_meta.runtime.recording.cells import CounterCell

HOLD = 10.0


class Reader:
    """A reader of one counter, with a clock of the test."""

    def __init__(self, hold: float = HOLD) -> None:
        self.now = 100.0
        self.cell = CounterCell(())
        self.deltas = JobDeltas(hold, lambda: self.now)

    def read(self, *, delivered: bool = True, with_values: bool = False) -> float:
        """Collect; return the count of the delta."""
        self.deltas.begin_collection(2**62, with_values=with_values)
        reading = self.deltas.delta(self.cell)
        self.deltas.end_collection(delivered=delivered)
        return reading.numbers[0]


def test_first_counts_wait_until_zero_is_old_enough() -> None:
    """The first counts of a series wait until its zero was delivered for the hold."""
    reader = Reader()
    reader.cell.add(3)
    before = reader.read()
    reader.now += HOLD - 1
    still = reader.read()
    reader.now += 1

    assert (0, 0, 3) == (before, still, reader.read())


def test_counts_after_hold_are_not_delayed() -> None:
    """Counts after the hold are in the next delta, and in no other."""
    reader = Reader()
    reader.read()
    reader.now += HOLD
    reader.cell.add(2)

    assert (2, 0) == (reader.read(), reader.read())


def test_hold_begins_with_delivery() -> None:
    """The hold begins with the delivery of the zero, not with a failed one."""
    reader = Reader()
    reader.cell.add(1)
    reader.read(delivered=False)
    reader.now += HOLD

    assert (0, HOLD) == (reader.read(), reader.deltas.seconds_to_hold())


def test_last_collection_has_all_counts() -> None:
    """The last collection has all counts, also of a series whose zero was not delivered."""
    reader = Reader()
    reader.cell.add(1)

    assert 1 == reader.read(with_values=True)


def test_counts_of_failed_collection_join_next_one() -> None:
    """The counts of a collection that was not delivered join the next one."""
    reader = Reader(hold=0)
    reader.cell.add(1)
    reader.read(delivered=False)
    reader.cell.add(1)

    assert 2 == reader.read()


def test_without_hold_first_counts_are_delivered_at_once() -> None:
    """Without a hold, the first counts are delivered at once."""
    reader = Reader(hold=0)
    reader.cell.add(1)

    assert (1, 0.0) == (reader.read(), reader.deltas.seconds_to_hold())


def test_nothing_is_held_without_counts() -> None:
    """Nothing is held if no series has counts, so that no job waits for its zeros."""
    reader = Reader()
    reader.read()

    assert 0.0 == reader.deltas.seconds_to_hold()


def test_intervals_of_deltas_follow_each_other() -> None:
    """The interval of a delta begins at the end of the interval before it."""
    cell, deltas = CounterCell(()), JobDeltas(0)
    deltas.begin_collection(2**62)
    first = deltas.delta(cell)
    deltas.end_collection(delivered=True)
    deltas.begin_collection(2**62 + 5)

    assert (Reading(cell.start_ns, (0.0,)), 2**62) == (first, deltas.delta(cell).start_ns)
