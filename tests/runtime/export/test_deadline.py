from __future__ import annotations

import time
from threading import Barrier, Event

import pytest

from otel_meta.runtime.export.deadline import run_with_deadline
from otel_meta.runtime.recording.faults import Faults


class TestRunWithDeadline:
    def test_done(self) -> None:
        """Every job is run, and that all were done in time is said."""
        done: list[str] = []
        jobs = {"a": lambda: done.append("a"), "b": lambda: done.append("b")}

        assert run_with_deadline(20, jobs, Faults())
        assert ["a", "b"] == sorted(done)

    def test_side_by_side(self) -> None:
        """Jobs run at the same time: two that wait for each other get done."""
        meeting = Barrier(2, timeout=20)

        assert run_with_deadline(20, {"a": meeting.wait, "b": meeting.wait}, Faults())

    def test_nothing(self) -> None:
        """Nothing to do is done at once."""
        assert run_with_deadline(0, {}, Faults())

    def test_late(self) -> None:
        """A job that takes too long is left behind, and others are not."""
        release, done = Event(), Event()
        began = time.monotonic()
        in_time = run_with_deadline(
            0.2, {"stuck": lambda: release.wait(60), "fine": done.set}, Faults()
        )
        seconds = time.monotonic() - began
        release.set()

        assert not in_time
        assert done.is_set()
        assert seconds < 10

    @pytest.mark.parametrize("timeout", [0, -1])
    def test_no_time(self, timeout: float) -> None:
        """Without any time left nothing is waited for."""
        release = Event()
        in_time = run_with_deadline(timeout, {"stuck": lambda: release.wait(60)}, Faults())
        release.set()

        assert not in_time

    def test_error(self) -> None:
        """An error in a job is counted by the job's name, and not raised."""
        faults = Faults()

        def fail() -> None:
            raise ValueError("no")

        assert run_with_deadline(20, {"flush": fail}, faults)
        assert [(("flush", "ValueError"), 1.0)] == [
            (cell.labels, cell.value) for cell in faults.family.cells()
        ]
