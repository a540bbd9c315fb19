from __future__ import annotations

import math
import sys
import time
from collections.abc import Iterator
from threading import Thread

import pytest

from otel_meta.runtime.gil import MAX_HOLD, PATIENT_HOLD, GilYielder, yielding_gil


@pytest.fixture
def no_switches() -> Iterator[None]:
    """Keep the interpreter from switching threads by itself."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1000)
    yield
    sys.setswitchinterval(interval)


class BusyInterpreter:
    """A clock, and pauses that end after these lengths."""

    def __init__(self, lengths: list[float]) -> None:
        self.now = 0.0
        self.pauses = 0
        self._lengths = iter(lengths)

    def pause(self, _seconds: float) -> None:
        """Let other threads run."""
        self.pauses += 1
        self.now += next(self._lengths)

    def yielder(self, patience: float = 0.0) -> GilYielder:
        """Return a yielder whose pause is due."""
        yielder = GilYielder(pause=self.pause, patience=patience, clock=lambda: self.now)
        self.now += MAX_HOLD
        return yielder


class TestGilYielder:
    def test_pause_follows_long_hold(self) -> None:
        """A yielder pauses for the yield time once the GIL was held for the maximal time."""
        pauses: list[float] = []
        yielder = GilYielder(max_hold=0.0, yield_time=0.25, pause=pauses.append)
        yielder.maybe_yield()

        assert [0.25] == pauses

    def test_no_pause_before_maximal_hold(self) -> None:
        """A yielder does not pause before the GIL was held for the maximal time."""
        pauses: list[float] = []
        yielder = GilYielder(max_hold=math.inf, pause=pauses.append)
        yielder.maybe_yield()

        assert [] == pauses

    def test_patient_pause_is_repeated_while_another_thread_has_the_gil(self) -> None:
        """A patient pause is repeated until it ends in time."""
        work = BusyInterpreter(lengths=[0.001, 0.001, 0.00005])
        work.yielder(patience=1.0).maybe_yield()

        assert 3 == work.pauses

    def test_impatient_pause_is_not_repeated(self) -> None:
        """A pause without patience is not repeated."""
        work = BusyInterpreter(lengths=[0.001])
        work.yielder().maybe_yield()

        assert 1 == work.pauses

    def test_patience_has_an_end(self) -> None:
        """Once patience is spent, pauses are neither repeated nor more frequent than others."""
        work = BusyInterpreter(lengths=[0.3] * 6)
        yielder = work.yielder(patience=0.5)
        yielder.maybe_yield()
        spent = work.pauses
        work.now += 2 * PATIENT_HOLD
        yielder.maybe_yield()
        unpaused = work.pauses
        work.now += MAX_HOLD
        yielder.maybe_yield()

        assert (2, 2, 3) == (spent, unpaused, work.pauses)

    @pytest.mark.usefixtures("no_switches")
    def test_other_threads_run_in_a_pause(self) -> None:
        """A thread that waits for the GIL runs during a pause."""
        ran: list[bool] = []
        thread = Thread(target=lambda: ran.append(True))
        thread.start()
        yielder = GilYielder(max_hold=0.0)
        deadline = time.monotonic() + 20
        while not ran and time.monotonic() < deadline:
            yielder.maybe_yield()
        thread.join()

        assert [True] == ran


class TestYieldingGil:
    def test_items_keep_their_order(self) -> None:
        """All items come in their order."""
        assert [0, 1, 2] == list(yielding_gil(range(3)))

    def test_pause_follows_each_long_item(self) -> None:
        """A pause follows each item that took longer than the maximal hold."""
        pauses: list[float] = []
        yielder = GilYielder(max_hold=0.0, yield_time=0.25, pause=pauses.append)
        list(yielding_gil(range(3), yielder))

        assert [0.25] * 3 == pauses
