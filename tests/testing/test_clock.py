from __future__ import annotations

from otel_meta.testing import FakeClock


class TestFakeClock:
    def test_time_does_not_change_between_calls(self) -> None:
        """The time does not change between calls."""
        clock = FakeClock(5.0)

        assert (5.0, 5.0) == (clock(), clock())

    def test_advance_adds_to_time(self) -> None:
        """advance() adds to the time."""
        clock = FakeClock()
        clock.advance(1.5)
        clock.advance(1)

        assert 2.5 == clock()

    def test_time_can_be_set(self) -> None:
        """The time can be set."""
        clock = FakeClock()
        clock.now = 100.0

        assert 100.0 == clock()
