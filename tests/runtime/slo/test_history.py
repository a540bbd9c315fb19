from __future__ import annotations

import pickle

from hypothesis import given, settings
from hypothesis import strategies as st

from otel_meta.runtime.slo.counting import Events
from otel_meta.runtime.slo.history import History

HOUR, DAY = 3600, 86_400
STEPS = ((1.2 * HOUR, 10), (7 * HOUR, 120), (3.1 * DAY, 600), (float("inf"), 1800))


def step_of(ago: float) -> int:
    """How coarse the history is, that long ago."""
    return next(step for reach, step in STEPS if ago <= reach)


def filled(start: float, spacing: int, count: int, period: float) -> History:
    """A history with a sample every so often, each counting the samples before it."""
    history = History(start, period)
    for number in range(1, count + 1):
        history.add(start + number * spacing, Events(0.0, float(number)))
    return history


class TestBefore:
    def test_empty(self) -> None:
        """At first there is nothing but the start, at zero."""
        assert (5.0, Events(0.0, 0.0)) == History(5.0, DAY).before(1000.0)

    def test_earlier(self) -> None:
        """What lies before the start counts as the start."""
        assert (100.0, Events(0.0, 0.0)) == filled(100.0, 10, 5, DAY).before(99.0)

    def test_exact(self) -> None:
        """A sample of the very moment is the one."""
        assert (30.0, Events(0.0, 3.0)) == filled(0.0, 10, 9, DAY).before(30.0)

    def test_between(self) -> None:
        """Between two samples it is the earlier one."""
        assert (30.0, Events(0.0, 3.0)) == filled(0.0, 10, 9, DAY).before(39.9)

    def test_later(self) -> None:
        """After the last sample it is the last one."""
        assert (90.0, Events(0.0, 9.0)) == filled(0.0, 10, 9, DAY).before(10_000.0)

    @settings(max_examples=25)
    @given(
        start=st.integers(0, 10**6),
        days=st.floats(0.01, 12),
        data=st.data(),
    )
    def test_step(self, start: int, days: float, data: st.DataObject) -> None:
        """Of any moment in the period, counts are at most one step older than the moment."""
        spacing, period = 60, 7 * DAY
        count = int(days * DAY) // spacing
        history = filled(float(start), spacing, count, period)
        now = start + count * spacing
        for _ in range(20):
            ago = data.draw(st.floats(0, period))
            at, events = history.before(now - ago)
            expected = max(now - ago, start)

            assert at <= expected
            assert expected - at < max(spacing, step_of(ago))
            assert (at - start) / spacing == events.total

    def test_fine(self) -> None:
        """Within the last hour every sample of ten seconds is kept."""
        history = filled(0.0, 10, 3 * 360, DAY)

        assert [history.before(3 * HOUR - ago)[0] for ago in range(0, HOUR, 10)] == [
            3.0 * HOUR - ago for ago in range(0, HOUR, 10)
        ]


class TestSize:
    def test_bounded(self) -> None:
        """Months of samples take no more room than a period of them."""
        one = filled(0.0, 600, 31 * 144, 30 * DAY)
        two = filled(0.0, 600, 62 * 144, 30 * DAY)

        assert len(pickle.dumps(one)) >= len(pickle.dumps(two))

    def test_period(self) -> None:
        """What lies a period back is still known after many periods."""
        history = filled(0.0, 600, 30 * 144, 7 * DAY)
        at, _ = history.before(23.0 * DAY)

        assert 23.0 * DAY - 1800 <= at <= 23.0 * DAY
