from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from otel_meta.runtime.gil import GilYielder, yielding_gil


def took(pause: Callable[[], None]) -> float:
    """Seconds that a call takes."""
    started = time.perf_counter()
    pause()
    return time.perf_counter() - started


class TestTurns:
    def test_after_a_while(self) -> None:
        """A pause follows on what took long, and is short."""
        pauses: list[float] = []
        turns = GilYielder(pauses.append)
        time.sleep(0.01)
        turns.give()

        assert 1 == len(pauses)
        assert 0 < pauses[0] < 0.001

    def test_really(self) -> None:
        """Without a clock of somebody's, it sleeps."""
        turns = GilYielder()
        time.sleep(0.01)

        assert took(turns.give) >= 0.00005


class TestUnhurried:
    def test_items(self) -> None:
        """Everything comes, in its order."""
        assert [0, 1, 2] == list(yielding_gil(range(3)))

    def test_pauses(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Between two items is a pause, where the first took long."""
        pauses: list[float] = []
        monkeypatch.setattr(GilYielder.__init__, "__defaults__", (pauses.append,))
        for _ in yielding_gil(range(3)):
            time.sleep(0.01)

        assert 3 == len(pauses)
