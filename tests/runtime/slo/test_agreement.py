"""The tracker against an oracle in plain Python that keeps every event."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otel_meta.model.slo.correction import Correction
from otel_meta.runtime.slo.tracker import INTERVAL
from otel_meta.status.events import Events
from otel_meta.status.status import Status

from .acme_calls import DAY, HOUR, Acme
from .kept_bench import Machine, Process

SPACING = 60.0
"""Seconds between two samples of a long run."""
STEPS = ((1.2 * HOUR, SPACING), (7 * HOUR, 120.0), (3.1 * DAY, 600.0), (float("inf"), 1800.0))


def step_of(age: float) -> float:
    """Return the stated bound: the step of the history at an age in seconds."""
    return next(step for reach, step in STEPS if age <= reach)


class Seen(NamedTuple):
    """A recorded event."""

    at: float
    bad: int
    total: int


@dataclass
class Oracle:
    """Keeps every event that a sample has seen, and judges each by its own time."""

    seen: list[Seen] = field(default_factory=list[Seen])
    corrections: list[tuple[float, float]] = field(default_factory=list[tuple[float, float]])

    def least(self, now: float, span: float) -> Events:
        """Return the events that are in a span and in no correction, for certain."""
        return _added(
            event
            for event in self.seen
            if now - event.at <= span
            and not any(
                begin - step_of(now - begin) < event.at <= end for begin, end in self.corrections
            )
        )

    def most(self, now: float, span: float) -> Events:
        """Return the events that are in a span of one step more, and maybe in no correction."""
        return _added(
            event
            for event in self.seen
            if now - event.at <= span + step_of(span)
            and not any(
                begin < event.at <= end - step_of(now - end) for begin, end in self.corrections
            )
        )


def _added(events: Iterator[Seen]) -> Events:
    found = list(events)
    return Events(float(sum(e.bad for e in found)), float(sum(e.total for e in found)))


class History:
    """Events in processes that are killed and start again, on one machine."""

    def __init__(self, path: Path) -> None:
        self.machine = Machine(path)
        self.oracle = Oracle()
        self.process = Process(self.machine)

    @property
    def now(self) -> float:
        """The true time, which the wall clock shows."""
        return self.machine.wall()

    def happen(self, bad: int, good: int) -> None:
        """Record events, half a second after a sample, and find them by the next sample."""
        self.machine.pass_time(0.5)
        self.process.happen(bad, good)
        self.oracle.seen.append(Seen(self.now, bad, bad + good))
        self.machine.pass_time(INTERVAL - 0.5)
        self.process.tracker.sample()

    def run(self, minutes: int) -> None:
        """Let the process run."""
        self.process.run(minutes * SPACING, step=SPACING)

    def restart(self, minutes: int) -> None:
        """Kill the process, with events that no sample has seen, and start another one later."""
        self.process.happen(3, 5)
        self.process.kill()
        self.machine.pass_time(minutes * 60)
        self.process = Process(self.machine)

    def reset(self, _minutes: int) -> None:
        """Remove the series, which begin again with the next event."""
        for instrument in (Acme.calls, Acme.failures):
            self.process.live(instrument).remove()

    def correct(self, spans: list[tuple[int, int]]) -> Status:
        """Return the status with corrections that are known since a last restart.

        Args:
            spans: begin, and length, of each correction in minutes before now.
        """
        self.oracle.corrections = [
            (self.now - ago * 60 + 0.25, self.now - (ago - length) * 60 + 0.25)
            for ago, length in spans
        ]
        self.process.kill()
        again = Process(self.machine, corrections=tuple(corrections_of(self.oracle.corrections)))
        return again.status()


def corrections_of(spans: list[tuple[float, float]]) -> Iterator[Correction]:
    """Return corrections of spans of the wall clock."""
    for begin, end in spans:
        times = [datetime.fromtimestamp(each, UTC) for each in (begin, end)]
        yield Correction(begin=times[0], end=times[1], reason="The network was repaired.")


pauses = st.integers(1, 180) | st.just(20 * 60)
"""Minutes."""
actions: dict[str, Callable[[History, int], None]] = {
    "run": History.run,
    "restart": History.restart,
    "reset": History.reset,
}
scripts = st.lists(
    st.tuples(st.sampled_from(sorted(actions)), pauses, st.integers(0, 20), st.integers(0, 200)),
    min_size=1,
    max_size=10,
)
corrected = st.lists(st.tuples(st.integers(0, 3000), st.integers(1, 600)), max_size=3)
numbers = count()


@pytest.mark.usefixtures("disk_without_delay")
class TestAgreement:
    @settings(max_examples=20, deadline=None)
    @given(script=scripts, spans=corrected)
    def test_every_window_has_its_events_within_one_step(
        self,
        tmp_path_factory: pytest.TempPathFactory,
        script: list[tuple[str, int, int, int]],
        spans: list[tuple[int, int]],
    ) -> None:
        """Through kills, resets, gaps and corrections, a window is off by one step at each edge."""
        history = History(tmp_path_factory.mktemp("history") / f"slo{next(numbers)}")
        for action, minutes, bad, good in script:
            actions[action](history, minutes)
            history.happen(bad, good)
        status = history.correct(spans)

        for span, burn in status.burns.items():
            least = history.oracle.least(history.now, span.seconds)
            most = history.oracle.most(history.now, span.seconds)
            assert burn.bad is not None
            assert least.bad <= burn.bad <= most.bad, span
        least = history.oracle.least(history.now, status.slo.period.seconds)
        most = history.oracle.most(history.now, status.slo.period.seconds)
        assert least.bad <= status.events.bad <= most.bad
        assert least.total <= status.events.total <= most.total

    @settings(max_examples=10, deadline=None)
    @given(script=scripts)
    def test_without_corrections_every_event_of_first_period_counts(
        self,
        tmp_path_factory: pytest.TempPathFactory,
        script: list[tuple[str, int, int, int]],
    ) -> None:
        """Without corrections, every event that a sample has seen counts exactly, and once."""
        history = History(tmp_path_factory.mktemp("history") / f"slo{next(numbers)}")
        for action, minutes, bad, good in script:
            actions[action](history, minutes)
            history.happen(bad, good)
        seen = _added(iter(history.oracle.seen))

        assert seen == history.process.events()
        assert (seen.total == 0) == (history.process.status().state == "no_data")
