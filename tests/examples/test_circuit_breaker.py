from __future__ import annotations

import asyncio
import importlib.util
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import ModuleType

import pytest

from otel_meta.testing import FakeClock

PATH = Path(__file__).resolve().parents[2] / "examples" / "circuit_breaker.py"


def _load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("circuit_breaker", PATH)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


circuit_breaker = _load()
Open = circuit_breaker.CircuitOpenError


async def good() -> str:
    """Succeed."""
    return "answer"


async def bad() -> str:
    """Fail."""
    raise ConnectionError


class Bench:
    """A breaker that opens after three failures for ten seconds."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.changes: list[str] = []
        self.breaker = circuit_breaker.CircuitBreaker(
            failures=3, retry_after=10, on_change=self.changes.append, clock=self.clock
        )

    async def calls(self, *operations: Callable[[], Awaitable[str]]) -> list[object]:
        """Make calls one after the other, and return their results or errors."""
        return [
            (await asyncio.gather(self.breaker.call(o), return_exceptions=True))[0]
            for o in operations
        ]

    def call(self, *operations: Callable[[], Awaitable[str]]) -> list[type]:
        """Make calls, and return the types of their results or errors."""
        return [type(result) for result in asyncio.run(self.calls(*operations))]


@pytest.fixture
def bench() -> Bench:
    """A closed breaker."""
    return Bench()


@pytest.fixture
def opened(bench: Bench) -> Bench:
    """An open breaker."""
    bench.call(bad, bad, bad)
    return bench


class TestClosed:
    def test_results_and_errors_of_calls_are_passed_through(self, bench: Bench) -> None:
        """Results and errors of calls are passed through."""
        assert [str, ConnectionError] == bench.call(good, bad)

    def test_breaker_opens_after_limit_of_consecutive_failures_and_reports_it(
        self, bench: Bench
    ) -> None:
        """The breaker opens after the limit of consecutive failures, and reports it once."""
        bench.call(bad, bad)
        before = bench.breaker.state

        bench.call(bad)

        assert ("closed", "open") == (before, bench.breaker.state)
        assert ["open"] == bench.changes

    def test_success_resets_count_of_failures(self, bench: Bench) -> None:
        """A success resets the count of failures."""
        bench.call(bad, bad, good, bad, bad)

        assert "closed" == bench.breaker.state


class TestOpen:
    def test_open_breaker_makes_no_call_before_pause_has_passed(self, opened: Bench) -> None:
        """An open breaker makes no call before the pause has passed."""
        called = []

        async def operation() -> str:
            called.append(1)
            return ""

        opened.clock.advance(9.9)

        assert [Open] == opened.call(operation)
        assert [] == called


class TestHalfOpen:
    def test_after_pause_success_closes_breaker(self, opened: Bench) -> None:
        """After the pause, a success closes the breaker."""
        opened.clock.advance(10)

        assert [str, str] == opened.call(good, good)
        assert ["open", "half_open", "closed"] == opened.changes

    def test_failed_trial_opens_breaker_for_another_pause(self, opened: Bench) -> None:
        """A failed trial opens the breaker for another pause."""
        opened.clock.advance(10)
        opened.call(bad)
        opened.clock.advance(9.9)
        early = opened.call(good)
        opened.clock.advance(0.1)

        assert [Open] == early
        assert [str] == opened.call(good)
        assert ["open", "half_open", "open", "half_open", "closed"] == opened.changes

    def test_one_at_a_time(self, opened: Bench) -> None:
        """During a trial, other calls are refused."""

        async def scenario() -> list[object]:
            answer = asyncio.Event()
            trial = asyncio.create_task(opened.breaker.call(answer.wait))
            await asyncio.sleep(0)
            refused = await opened.calls(good)
            answer.set()
            return [*refused, await trial]

        opened.clock.advance(10)
        refused, tried = asyncio.run(scenario())

        assert isinstance(refused, Open)
        assert tried is True

    def test_cancelled_trial_changes_no_state_and_another_trial_is_allowed(
        self, opened: Bench
    ) -> None:
        """A cancelled trial changes no state, and another trial is allowed."""

        async def scenario() -> None:
            trial = asyncio.create_task(opened.breaker.call(asyncio.Event().wait))
            await asyncio.sleep(0)
            trial.cancel()
            await asyncio.wait([trial])

        opened.clock.advance(10)
        asyncio.run(scenario())

        assert "half_open" == opened.breaker.state
        assert [str] == opened.call(good)

    @pytest.mark.parametrize("outcome", [good, bad])
    def test_call_from_before_opening_changes_no_state_when_it_ends(
        self, bench: Bench, outcome: Callable[[], Awaitable[str]]
    ) -> None:
        """A call from before the opening changes no state when it ends."""

        async def late() -> str:
            await answer.wait()
            return await outcome()

        async def scenario() -> None:
            early = asyncio.create_task(bench.breaker.call(late))
            await bench.calls(bad, bad, bad)
            bench.clock.advance(10)
            trial = asyncio.create_task(bench.breaker.call(asyncio.Event().wait))
            await asyncio.sleep(0)
            answer.set()
            await asyncio.wait([early])
            states.append(bench.breaker.state)
            trial.cancel()
            await asyncio.gather(early, trial, return_exceptions=True)

        answer = asyncio.Event()
        states: list[str] = []
        asyncio.run(scenario())

        assert ["half_open"] == states
