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
    """What succeeds."""
    return "answer"


async def bad() -> str:
    """What fails."""
    raise ConnectionError


class Bench:
    """A breaker that opens after three failures and tries again after ten seconds."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.changes: list[str] = []
        self.breaker = circuit_breaker.CircuitBreaker(
            failures=3, retry_after=10, on_change=self.changes.append, clock=self.clock
        )

    async def calls(self, *operations: Callable[[], Awaitable[str]]) -> list[object]:
        """What each of some calls came to, one after the other."""
        return [
            (await asyncio.gather(self.breaker.call(o), return_exceptions=True))[0]
            for o in operations
        ]

    def call(self, *operations: Callable[[], Awaitable[str]]) -> list[type]:
        """The types of what each call came to."""
        return [type(result) for result in asyncio.run(self.calls(*operations))]


@pytest.fixture
def bench() -> Bench:
    """A breaker that is closed."""
    return Bench()


@pytest.fixture
def opened(bench: Bench) -> Bench:
    """A breaker that is open."""
    bench.call(bad, bad, bad)
    return bench


class TestClosed:
    def test_passes(self, bench: Bench) -> None:
        """Answers and errors pass through as they are."""
        assert [str, ConnectionError] == bench.call(good, bad)

    def test_opens(self, bench: Bench) -> None:
        """It opens at the last of the failures in a row that it bears, and says so once."""
        bench.call(bad, bad)
        before = bench.breaker.state

        bench.call(bad)

        assert ("closed", "open") == (before, bench.breaker.state)
        assert ["open"] == bench.changes

    def test_forgives(self, bench: Bench) -> None:
        """A success in between starts the count again."""
        bench.call(bad, bad, good, bad, bad)

        assert "closed" == bench.breaker.state


class TestOpen:
    def test_refuses(self, opened: Bench) -> None:
        """Nothing is called until the time has come."""
        called = []

        async def operation() -> str:
            called.append(1)
            return ""

        opened.clock.advance(9.9)

        assert [Open] == opened.call(operation)
        assert [] == called


class TestHalfOpen:
    def test_closes(self, opened: Bench) -> None:
        """When the time has come, a success closes it."""
        opened.clock.advance(10)

        assert [str, str] == opened.call(good, good)
        assert ["open", "half_open", "closed"] == opened.changes

    def test_opens_again(self, opened: Bench) -> None:
        """One failure opens it for as long again, and the next trial is let through."""
        opened.clock.advance(10)
        opened.call(bad)
        opened.clock.advance(9.9)
        early = opened.call(good)
        opened.clock.advance(0.1)

        assert [Open] == early
        assert [str] == opened.call(good)
        assert ["open", "half_open", "open", "half_open", "closed"] == opened.changes

    def test_one_at_a_time(self, opened: Bench) -> None:
        """While one call tries, all others are refused."""

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

    def test_cancelled(self, opened: Bench) -> None:
        """A trial whose caller has left says nothing, and makes way for the next."""

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
    def test_late(self, bench: Bench, outcome: Callable[[], Awaitable[str]]) -> None:
        """What began before it opened decides nothing when it ends during a trial."""

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
