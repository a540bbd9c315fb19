from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from contextlib import contextmanager
from signal import SIGUSR1
from threading import Barrier, Event, Thread
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

import pytest

from otel_meta.runtime.export import attempts
from otel_meta.runtime.export.deadline import run_with_deadline
from otel_meta.runtime.recording.faults import Faults
from otel_meta.testing import OtlpReceiver, capture
from tests.runtime.forks import in_child

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import Eventually, Run


def exceed(_number: int, _frame: object) -> None:
    """Raise the error of a time limit in a signal handler."""
    raise RuntimeError("time limit")


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

    def test_repeated_calls_during_stuck_action_have_one_thread(
        self, eventually: Eventually
    ) -> None:
        """Repeated calls during a stuck action have one thread in all, which ends with it."""
        release, faults = Event(), Faults()

        def threads() -> int:
            return [thread.name for thread in threading.enumerate()].count("otel_meta many")

        for _ in range(20):
            run_with_deadline(0.001, {"many": lambda: release.wait(60)}, faults)
        during = threads()
        release.set()

        assert 1 == during
        eventually(lambda: threads() == 0)

    def test_call_during_run_waits_for_run_of_its_own(self) -> None:
        """A call during a run waits for a run that begins after the call."""
        entered, release, runs, faults = Event(), Event(), list[int](), Faults()

        def act() -> None:
            runs.append(len(runs))
            entered.set()
            release.wait(60)

        threads = [
            Thread(target=run_with_deadline, args=(20, {"act": act}, faults)) for _ in range(3)
        ]
        threads[0].start()
        entered.wait(20)
        for thread in threads[1:]:
            thread.start()
        release.set()
        for thread in threads:
            thread.join()

        assert [0, 1] == runs

    def test_handler_that_interrupts_start_of_thread_waits_for_run(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A handler that interrupts a call before its thread has started runs the action, too."""
        faults, results, start = Faults(), list[bool](), Thread.start

        def interrupted(thread: Thread) -> None:
            monkeypatch.setattr(Thread, "start", start)
            results.append(run_with_deadline(5, {"act": lambda: None}, faults))
            start(thread)

        monkeypatch.setattr(Thread, "start", interrupted)
        results.append(run_with_deadline(5, {"act": lambda: None}, faults))

        assert [True, True] == results

    def test_forked_child_runs_action_that_is_stuck_in_its_parent(self) -> None:
        """A forked child runs an action that is stuck in its parent."""
        release, faults = Event(), Faults()
        run_with_deadline(0.001, {"act": lambda: release.wait(60)}, faults)
        in_time = in_child(lambda: run_with_deadline(20, {"act": lambda: None}, faults))
        release.set()

        assert in_time


@contextmanager
def no_threads(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Refuse to start a thread, as an interpreter that shuts down does."""

    def refuse(_thread: Thread) -> None:
        raise RuntimeError("can't create new thread at interpreter shutdown")

    with monkeypatch.context() as patch:
        patch.setattr(Thread, "start", refuse)
        yield


AT_EXIT = """
import atexit, threading
import structlog
from opentelemetry import trace
import otel_meta

def refuse(thread):
    raise RuntimeError("can't create new thread at interpreter shutdown")

otel_meta.configure("shop")
with trace.get_tracer("shop").start_as_current_span("selling"):
    structlog.get_logger("shop").info("sold")
atexit.register(setattr, threading.Thread, "start", refuse)
"""


class TestWithoutThreads:
    @pytest.fixture(autouse=True)
    def without_exports_of_other_tests(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Forget the exports of other tests, which may be stuck."""
        monkeypatch.setattr(attempts, "_all_exports", WeakSet[attempts.Exports]())

    def test_actions_run_in_calling_thread(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without threads, actions run in the calling thread, and their errors are counted."""
        threads: list[Any] = []
        faults = Faults()

        def act() -> None:
            threads.append(threading.current_thread())
            raise ValueError("no")

        with no_threads(monkeypatch):
            in_time = run_with_deadline(20, {"one": act, "two": act}, faults)

        assert (True, [threading.current_thread()] * 2) == (in_time, threads)
        assert 2 == faults.count()

    def test_flush_and_shutdown_at_receiver_that_never_answers_end_in_time(
        self, monkeypatch: pytest.MonkeyPatch, black_hole: str
    ) -> None:
        """Without threads, a flush and a shutdown end in time at a receiver that never answers."""
        with capture(otlp_endpoint=black_hole, environ={}) as captured, no_threads(monkeypatch):
            assert captured.telemetry.traces is not None
            captured.telemetry.traces.provider.get_tracer("test").start_span("span").end()
            began = time.monotonic()
            captured.telemetry.flush(0.2)
            flushed = time.monotonic()
            captured.telemetry.shutdown(0.2)
            ended = time.monotonic()

        assert (True, True) == (flushed - began < 1.5, ended - flushed < 1.5)

    def test_action_is_left_out_while_thread_exports_beyond_deadline(
        self, monkeypatch: pytest.MonkeyPatch, black_hole: str
    ) -> None:
        """Without threads, an action is left out while another thread exports beyond the time."""
        with capture(otlp_endpoint=black_hole, environ={}) as captured:
            captured.telemetry.flush(0.001)
            ran: list[str] = []
            with no_threads(monkeypatch):
                action = {"act": lambda: ran.append("act")}
                in_time = run_with_deadline(0.05, action, captured.telemetry.faults)
            captured.telemetry.shutdown(0.1)

            assert (False, []) == (in_time, ran)
            assert run_with_deadline(20, action, captured.telemetry.faults)

    def test_action_that_ends_after_timeout_is_late(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without threads, an action that ends after the timeout makes the result False."""
        with no_threads(monkeypatch):
            assert not run_with_deadline(0.01, {"act": lambda: time.sleep(0.02)}, Faults())

    def test_error_of_signal_handler_reaches_caller_and_next_call_runs(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """An error that is no `Exception` reaches the caller, and the next call runs."""
        faults = Faults()

        def interrupt() -> None:
            raise KeyboardInterrupt

        with no_threads(monkeypatch), pytest.raises(KeyboardInterrupt):
            run_with_deadline(20, {"act": interrupt}, faults)

        assert run_with_deadline(20, {"act": lambda: None}, faults)

    def test_time_limit_at_start_of_thread_reaches_caller_and_next_call_runs(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A time limit at the start of a thread reaches the caller, and the next call runs."""
        faults = Faults()
        monkeypatch.setattr(threading.Thread, "start", lambda _: signal.raise_signal(SIGUSR1))
        handler = signal.signal(SIGUSR1, exceed)

        with pytest.raises(RuntimeError, match="time limit"):
            run_with_deadline(20, {"act": lambda: None}, faults)
        monkeypatch.undo()
        signal.signal(SIGUSR1, handler)

        assert run_with_deadline(20, {"act": lambda: None}, faults)

    def test_everything_is_exported_at_exit(self, script: Callable[..., Run]) -> None:
        """Everything is exported at exit, although the interpreter refuses new threads."""
        with OtlpReceiver() as sink:
            run = script(AT_EXIT, OTEL_EXPORTER_OTLP_ENDPOINT=sink.endpoint)

            assert (0, "") == (run.code, run.stderr)
            assert (1, 1) == (len(sink.spans()), len(sink.log_records()))
            assert "otel_meta.up" in {metric.name for metric in sink.metrics()}
