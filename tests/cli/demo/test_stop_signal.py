from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from threading import Timer

import pytest

from otel_meta.cli.demo.stop_signal import StopSignal

ENDINGS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


@pytest.fixture(autouse=True)
def survival() -> Iterator[None]:
    """What is sent here and not heard does not end the tests."""
    before = {number: signal.signal(number, lambda *_: None) for number in ENDINGS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


class TestStop:
    @pytest.mark.parametrize("number", ENDINGS)
    def test_signal(self, number: signal.Signals) -> None:
        """A signal that asks for an end sets it, and raises nothing."""
        with StopSignal() as stop:
            before = stop.is_set()
            os.kill(os.getpid(), number)

            assert (False, True) == (before, stop.is_set())

    def test_again(self) -> None:
        """Asking twice is asking."""
        with StopSignal() as stop:
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)

            assert stop.is_set()

    def test_wait(self) -> None:
        """Waiting ends with the time, and says that nobody asked."""
        with StopSignal() as stop:
            began = time.monotonic()
            asked = stop.wait(0.1)

        assert asked is False
        assert 0.1 <= time.monotonic() - began < 1

    def test_wait_no_time(self) -> None:
        """A time that is over is not waited for."""
        assert StopSignal().wait(-1) is False

    def test_wait_for_signal(self) -> None:
        """Waiting ends with the signal, wherever it was sent from."""
        with StopSignal() as stop:
            began = time.monotonic()
            Timer(0.1, os.kill, [os.getpid(), signal.SIGTERM]).start()

            assert stop.wait(30)
        assert 2 > time.monotonic() - began

    def test_afterwards(self) -> None:
        """When it closes, signals mean again what they meant before."""
        before = [signal.getsignal(number) for number in ENDINGS]
        with StopSignal():
            within = [signal.getsignal(number) for number in ENDINGS]

        assert before == [signal.getsignal(number) for number in ENDINGS]
        assert before != within
