from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from threading import Timer

import pytest

from otel_meta.cli.demo.stop_signal import StopSignal

SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


@pytest.fixture(autouse=True)
def _ignored_signals() -> Iterator[None]:
    """Handlers that keep signals from ending the tests."""
    before = {number: signal.signal(number, lambda *_: None) for number in SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


class TestStop:
    @pytest.mark.parametrize("number", SIGNALS)
    def test_signal_sets_it_and_raises_no_exception(self, number: signal.Signals) -> None:
        """A signal sets it, and raises no exception."""
        with StopSignal() as stop:
            before = stop.is_set()
            os.kill(os.getpid(), number)

            assert (False, True) == (before, stop.is_set())

    def test_second_signal_changes_nothing(self) -> None:
        """A second signal changes nothing."""
        with StopSignal() as stop:
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)

            assert stop.is_set()

    def test_wait_returns_false_after_time(self) -> None:
        """wait() returns False after the time."""
        with StopSignal() as stop:
            began = time.monotonic()
            signalled = stop.wait(0.1)

        assert signalled is False
        assert 0.1 <= time.monotonic() - began < 1

    def test_wait_with_negative_time_returns_at_once(self) -> None:
        """wait() with a negative time returns at once."""
        assert StopSignal().wait(-1) is False

    def test_wait_returns_true_at_signal(self) -> None:
        """wait() returns True at a signal."""
        with StopSignal() as stop:
            began = time.monotonic()
            Timer(0.1, os.kill, [os.getpid(), signal.SIGTERM]).start()

            assert stop.wait(30)
        assert 2 > time.monotonic() - began

    def test_at_end_of_context_former_handlers_are_restored(self) -> None:
        """At the end of the context, the former handlers are restored."""
        before = [signal.getsignal(number) for number in SIGNALS]
        with StopSignal():
            within = [signal.getsignal(number) for number in SIGNALS]

        assert before == [signal.getsignal(number) for number in SIGNALS]
        assert before != within
