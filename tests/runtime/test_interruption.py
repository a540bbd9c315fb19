from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from functools import partial
from types import FrameType

import pytest

from otel_meta.runtime.interruption import (
    raised_by_signal_handler,
    reraise_interruption,
    suppress_faults,
)


class Limit(Exception):
    """The time limit of a task."""


class Queue:
    """A task queue whose handlers are methods."""

    def expire(self, _signum: int, _frame: FrameType | None) -> None:
        """End the task."""
        raise Limit

    def __call__(self, *_: object) -> None:
        """End the task."""
        raise Limit


def expire(*_: object) -> None:
    """End the task."""
    raise Limit


def expire_by_helper(signum: int, frame: FrameType | None) -> None:
    """End the task in a function that receives nothing."""
    del signum
    raise_limit()
    assert frame


def raise_limit() -> None:
    """Raise the time limit."""
    raise Limit


def expire_after(_seconds: int, *_: object) -> None:
    """End the task."""
    raise Limit


HANDLERS = [
    Queue().expire,
    Queue(),
    expire,
    expire_by_helper,
    partial(expire_after, 5),
    lambda _signum, _frame: raise_limit(),
]


@pytest.fixture
def own_signal() -> Iterator[signal.Signals]:
    """Return a signal, whose handler is restored after the test."""
    before = signal.getsignal(signal.SIGUSR1)
    yield signal.SIGUSR1
    signal.signal(signal.SIGUSR1, before)


def caught(work: Callable[[], object]) -> Exception:
    """Return what a function raises."""
    with pytest.raises(Exception) as info:  # noqa: PT011 - any exception
        work()
    return info.value


class TestRaisedBySignalHandler:
    @pytest.mark.parametrize("handler", HANDLERS)
    def test_exception_of_handler_is_known_wherever_it_interrupts(
        self, handler: Callable[[int, FrameType | None], None], own_signal: signal.Signals
    ) -> None:
        """An exception of a handler is known, in the catching function and in what it calls."""
        signal.signal(own_signal, handler)

        def deep() -> None:
            signal.raise_signal(own_signal)

        for work in (deep, partial(signal.raise_signal, own_signal), deep):
            assert raised_by_signal_handler(caught(work))

    def test_handler_that_removes_itself_is_known(self, own_signal: signal.Signals) -> None:
        """A handler that removes itself before it raises is known."""

        def once(signum: int, _frame: FrameType | None) -> None:
            signal.signal(signum, signal.SIG_DFL)
            raise Limit

        signal.signal(own_signal, once)

        assert raised_by_signal_handler(caught(partial(signal.raise_signal, own_signal)))

    @pytest.mark.parametrize("work", [raise_limit, partial(int, "x")])
    def test_exception_of_other_code_is_not_of_handler(self, work: Callable[[], object]) -> None:
        """An exception of other code is not taken for one of a handler."""
        assert not raised_by_signal_handler(caught(work))


class TestReraiseInterruption:
    def test_exception_of_handler_is_raised_again_unchanged(
        self, own_signal: signal.Signals
    ) -> None:
        """An exception of a handler is raised again unchanged."""
        signal.signal(own_signal, expire)
        error = caught(partial(signal.raise_signal, own_signal))

        assert error is caught(partial(reraise_interruption, error))

    def test_other_exception_is_left_to_caller(self) -> None:
        """Another exception is left to the caller."""
        reraise_interruption(caught(raise_limit))


class TestSuppressFaults:
    def test_exception_of_handler_is_not_suppressed(self, own_signal: signal.Signals) -> None:
        """An exception of a handler is not suppressed."""
        signal.signal(own_signal, expire)

        with pytest.raises(Limit), suppress_faults(Limit):
            signal.raise_signal(own_signal)

    def test_exception_of_other_code_is_suppressed(self) -> None:
        """An exception of other code is suppressed, if it is of the classes."""
        with suppress_faults(Limit):
            raise_limit()
        with pytest.raises(Limit), suppress_faults(OSError):
            raise_limit()
