from __future__ import annotations

import logging
import threading
from threading import Event

import pytest

from otel_meta.runtime.export.periodic import Ticker
from otel_meta.runtime.recording.faults import Faults

WAIT = 20.0


class Calls:
    """Counts calls, and can be waited for."""

    def __init__(self, wanted: int, error: Exception | None = None) -> None:
        self.count = 0
        self.enough = Event()
        self._wanted = wanted
        self._error = error

    def __call__(self) -> None:
        """Count, and raise if that was asked for."""
        self.count += 1
        if self.count >= self._wanted:
            self.enough.set()
        if self._error is not None:
            raise self._error


class TestTicker:
    def test_repeats(self) -> None:
        """The action is called again and again."""
        calls = Calls(3)
        ticker = Ticker("test", 0.001, calls, Faults())
        ticker.start()

        assert calls.enough.wait(WAIT)
        ticker.stop(WAIT)

    def test_first(self) -> None:
        """The first call comes after one interval, not at once."""
        calls = Calls(1)
        ticker = Ticker("test", 3600, calls, Faults())
        ticker.start()
        ticker.stop(WAIT)

        assert 0 == calls.count

    def test_survives(self, caplog: pytest.LogCaptureFixture) -> None:
        """An action that raises is called again; its errors are counted, and logged once."""
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

    def test_stopped(self) -> None:
        """Once stopped, the thread is gone and calls no more."""
        calls = Calls(1)
        ticker = Ticker("stopped", 0.001, calls, Faults())
        ticker.start()
        calls.enough.wait(WAIT)
        ticker.stop(WAIT)
        count = calls.count

        assert "otel_meta stopped" not in {thread.name for thread in threading.enumerate()}
        assert count == calls.count

    def test_never_started(self) -> None:
        """A ticker that never began can be stopped."""
        calls = Calls(1)
        Ticker("test", 0.001, calls, Faults()).stop(WAIT)

        assert 0 == calls.count

    def test_stuck(self) -> None:
        """Stopping waits for a stuck action no longer than it is told to."""
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

    def test_daemon(self) -> None:
        """A ticker does not keep the process alive."""
        ticker = Ticker("daemon", 3600, Calls(1), Faults())
        ticker.start()
        daemons = {thread.name for thread in threading.enumerate() if thread.daemon}
        ticker.stop(WAIT)

        assert "otel_meta daemon" in daemons
