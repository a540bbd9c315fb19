from __future__ import annotations

import time
from threading import Barrier, Event

import pytest

from otel_meta.runtime.export.deadline import run_with_deadline
from otel_meta.runtime.recording.faults import Faults


class TestRunWithDeadline:
    def test_result_is_true_if_every_job_finishes_in_time(self) -> None:
        """The result is True if every job finishes in time."""
        done: list[str] = []
        jobs = {"a": lambda: done.append("a"), "b": lambda: done.append("b")}

        assert run_with_deadline(20, jobs, Faults())
        assert ["a", "b"] == sorted(done)

    def test_jobs_run_in_parallel(self) -> None:
        """Jobs run in parallel: two jobs that wait for each other finish."""
        meeting = Barrier(2, timeout=20)

        assert run_with_deadline(20, {"a": meeting.wait, "b": meeting.wait}, Faults())

    def test_without_jobs_result_is_true_at_once(self) -> None:
        """Without jobs the result is True at once."""
        assert run_with_deadline(0, {}, Faults())

    def test_job_that_takes_too_long_is_abandoned_and_other_jobs(self) -> None:
        """A job that takes too long is abandoned, and the other jobs finish."""
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
    def test_timeout_of_zero_or_less_does_not_wait(self, timeout: float) -> None:
        """A timeout of zero or less does not wait."""
        release = Event()
        in_time = run_with_deadline(timeout, {"stuck": lambda: release.wait(60)}, Faults())
        release.set()

        assert not in_time

    def test_error_of_job_is_counted_under_jobs_name(self) -> None:
        """An error of a job is counted under the job's name and not raised."""
        faults = Faults()

        def fail() -> None:
            raise ValueError("no")

        assert run_with_deadline(20, {"flush": fail}, faults)
        assert [(("flush", "ValueError"), 1.0)] == [
            (cell.labels, cell.value) for cell in faults.family.cells()
        ]
