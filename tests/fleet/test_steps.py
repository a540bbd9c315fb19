"""The times of a range query."""

from __future__ import annotations

import pytest

from otel_meta.fleet.steps import Steps

DAY = 86_400


def test_parts_of_a_range_hold_every_time_once() -> None:
    """The parts of a range hold every time once, in order."""
    steps = Steps(0, 90 * DAY, 300)

    assert [*steps.times] == [at for part in steps.parts() for at in part.times]


@pytest.mark.parametrize("seconds", [60, 119, 7 * DAY, 30 * DAY, 90 * DAY, 1_000_003])
def test_points_back_end_at_the_end_and_are_no_more_than_asked_for(seconds: int) -> None:
    """Points back in time end exactly at the end, span the time, and are no more than asked for."""
    steps = Steps.back(seconds, 2_000_000, 120)

    assert 2_000_000 == steps.times[-1]
    assert len(steps.times) <= 120
    assert seconds - steps.step < steps.end - steps.start <= seconds
