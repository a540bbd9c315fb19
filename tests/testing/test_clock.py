from __future__ import annotations

from otel_meta.testing import FakeClock


class TestFakeClock:
    def test_still(self) -> None:
        """It stands still."""
        clock = FakeClock(5.0)

        assert (5.0, 5.0) == (clock(), clock())

    def test_advance(self) -> None:
        """It goes on as far as it is told."""
        clock = FakeClock()
        clock.advance(1.5)
        clock.advance(1)

        assert 2.5 == clock()

    def test_set(self) -> None:
        """It can be set."""
        clock = FakeClock()
        clock.now = 100.0

        assert 100.0 == clock()
