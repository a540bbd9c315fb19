from __future__ import annotations

import logging
import threading
from threading import Event

import pytest

from otel_meta.runtime.export.periodic import Ticker
from otel_meta.runtime.recording.faults import Faults

WAIT = 20.0


class Calls:
    """An action that counts its calls and sets an event."""

    def __init__(self, wanted: int, error: Exception | None = None) -> None:
        self.count = 0
        self.enough = Event()
        self._wanted = wanted
        self._error = error

    def __call__(self) -> None:
        """Count the call, and raise the error if there is one."""
        self.count += 1
        if self.count >= self._wanted:
            self.enough.set()
        if self._error is not None:
            raise self._error


class TestTicker:
    def test_action_is_called_repeatedly(self) -> None:
        """The action is called repeatedly."""
        calls = Calls(3)
        ticker = Ticker("test", 0.001, calls, Faults())
        ticker.start()

        assert calls.enough.wait(WAIT)
        ticker.stop(WAIT)

    def test_first_call_comes_after_one_interval(self) -> None:
        """The first call comes after one interval."""
        calls = Calls(1)
        ticker = Ticker("test", 3600, calls, Faults())
        ticker.start()
        ticker.stop(WAIT)

        assert 0 == calls.count

    def test_action_that_raises_is_called_again_and_its_errors(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        """An action that raises is called again, and its errors are counted and logged once."""
        calls, faults = Calls(3, ValueError("no")), Faults()
        ticker = Ticker("test", 0.001, calls, faults)
        with caplog.at_level(logging.WARNING, "otel_meta"):
            ticker.start()
            calls.enough.wait(WAIT)
            ticker.stop(WAIT)

        assert [(("test", "ValueError"), float(calls.count))] == [
            (cell.labels, cell.value) for cell in faults.family.cells()
        ]
        assert 1 == len(caplog.messages)

    def test_stopped_ticker_has_no_thread_and_makes_no_calls(self) -> None:
        """A stopped ticker has no thread and makes no calls."""
        calls = Calls(1)
        ticker = Ticker("stopped", 0.001, calls, Faults())
        ticker.start()
        calls.enough.wait(WAIT)
        ticker.stop(WAIT)
        count = calls.count

        assert "otel_meta stopped" not in {thread.name for thread in threading.enumerate()}
        assert count == calls.count

    def test_ticker_that_never_started_can_be_stopped(self) -> None:
        """A ticker that never started can be stopped."""
        calls = Calls(1)
        Ticker("test", 0.001, calls, Faults()).stop(WAIT)

        assert 0 == calls.count

    def test_stopping_waits_for_stuck_action_no_longer_than_timeout(self) -> None:
        """Stopping waits for a stuck action no longer than the timeout."""
        under_way, release = Event(), Event()

        def stick() -> None:
            under_way.set()
            release.wait(WAIT)

        ticker = Ticker("stuck", 0.001, stick, Faults())
        ticker.start()
        under_way.wait(WAIT)
        ticker.stop(0.01)
        still = {thread.name for thread in threading.enumerate()}
        release.set()

        assert "otel_meta stuck" in still

    def test_ticker_runs_on_daemon_thread(self) -> None:
        """A ticker runs on a daemon thread."""
        ticker = Ticker("daemon", 3600, Calls(1), Faults())
        ticker.start()
        daemons = {thread.name for thread in threading.enumerate() if thread.daemon}
        ticker.stop(WAIT)

        assert "otel_meta daemon" in daemons
