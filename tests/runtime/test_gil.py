from __future__ import annotations

import math
import sys
import time
from collections.abc import Iterator
from threading import Thread

import pytest

from otel_meta.runtime.gil import GilYielder, yielding_gil


@pytest.fixture
def no_switches() -> Iterator[None]:
    """Keep the interpreter from switching threads by itself."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1000)
    yield
    sys.setswitchinterval(interval)


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
