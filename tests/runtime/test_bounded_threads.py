from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextvars import ContextVar
from functools import partial
from typing import TYPE_CHECKING

import pytest

from otel_meta.runtime.bounded_threads import BoundedThreads, Overload
from tests.runtime.forks import in_child

if TYPE_CHECKING:
    from tests.conftest import Eventually

TIMEOUT = 20.0


class Gate:
    """A function that blocks until the gate is opened."""

    def __init__(self) -> None:
        self.entered = 0
        self.opened = threading.Event()

    def pass_through(self) -> None:
        """Wait for the gate."""
        self.entered += 1
        self.opened.wait(TIMEOUT)


@pytest.fixture
def gate() -> Iterator[Gate]:
    """A gate that is open after the test."""
    gate = Gate()
    yield gate
    gate.opened.set()


class TestRun:
    def test_result_and_error_come_from_function(self) -> None:
        """The result and the error are those of the function."""
        threads = BoundedThreads("test", 1)

        assert 3 == asyncio.run(threads.run(lambda: 3, TIMEOUT))
        with pytest.raises(ZeroDivisionError):
            asyncio.run(threads.run(lambda: 1 / 0, TIMEOUT))

    def test_function_has_context_of_caller(self) -> None:
        """The function has the context variables of the caller."""
        variable: ContextVar[str] = ContextVar("variable")

        async def main() -> str:
            variable.set("mine")
            return await BoundedThreads("test", 1).run(variable.get, TIMEOUT)

        assert "mine" == asyncio.run(main())

    def test_late_result_is_not_awaited(self, gate: Gate) -> None:
        """A caller does not wait for a late result."""
        with pytest.raises(TimeoutError):
            asyncio.run(BoundedThreads("test", 1).run(gate.pass_through, 0.01))


class TestBounds:
    def test_threads_and_waiting_functions_are_limited(
        self, gate: Gate, eventually: Eventually
    ) -> None:
        """Threads and waiting functions are limited, and threads end with the work."""
        threads = BoundedThreads("test", 2, max_waiting=3)
        for _ in range(2):
            threads.submit(gate.pass_through)
        eventually(lambda: gate.entered == 2)
        for _ in range(3):
            threads.submit(gate.pass_through)

        assert 2 == _threads_of_test()
        with pytest.raises(Overload):
            threads.submit(gate.pass_through)
        gate.opened.set()
        eventually(lambda: gate.entered == 5)
        eventually(lambda: _threads_of_test() == 0)

    def test_without_any_thread_function_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """If the system has no thread left, a function is refused and does not wait for ever."""

        def fail(_self: threading.Thread) -> None:
            raise RuntimeError("can't start new thread")

        threads = BoundedThreads("test", 1)
        with monkeypatch.context() as patched:
            patched.setattr(threading.Thread, "start", fail)
            with pytest.raises(Overload):
                threads.submit(list)

        assert 3 == asyncio.run(threads.run(lambda: 3, TIMEOUT))


class TestShare:
    def test_callers_with_equal_key_share_function_that_waits(
        self, gate: Gate, eventually: Eventually
    ) -> None:
        """Callers share a function that waits for a thread, but none that has begun."""
        threads = BoundedThreads("test", 1)
        calls: list[int] = []

        async def main() -> list[int]:
            threads.submit(gate.pass_through)
            callers = [
                asyncio.ensure_future(threads.run(partial(_count, calls), TIMEOUT, key))
                for key in ("a", "a", "b", "b")
            ]
            await asyncio.sleep(0)
            gate.opened.set()
            return [*await asyncio.gather(*callers), await threads.run(lambda: 9, TIMEOUT, "a")]

        assert [1, 1, 2, 2, 9] == asyncio.run(main())


def _count(calls: list[int]) -> int:
    calls.append(0)
    return len(calls)


def _threads_of_test() -> int:
    return sum(thread.name == "otel_meta test" for thread in threading.enumerate())


class TestFork:
    def test_forked_child_has_threads_of_its_own(self, gate: Gate, eventually: Eventually) -> None:
        """A child that is forked while all threads are busy runs functions."""
        threads = BoundedThreads("test", 1, max_waiting=1)
        threads.submit(gate.pass_through)
        eventually(lambda: gate.entered)
        threads.submit(gate.pass_through)

        assert 3 == in_child(lambda: asyncio.run(threads.run(lambda: 3, TIMEOUT)))
