from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from otel_meta.runtime.prometheus.timed_collection import Source, TimedCollection

if TYPE_CHECKING:
    from tests.conftest import Eventually


class Slow:
    """A source that waits until a gate opens."""

    def __init__(self) -> None:
        self.gate = threading.Event()

    def collect(self) -> str:
        """Wait for the gate."""
        self.gate.wait(20)
        return "slow"


@pytest.fixture
def slow() -> Iterator[Slow]:
    """A slow source, which returns after the test."""
    slow = Slow()
    yield slow
    slow.gate.set()


def _name(thread: threading.Thread) -> str:
    return thread.name


class Bench:
    """A collection with a short time limit, and its faults."""

    def __init__(self) -> None:
        self.faults: list[tuple[str, str]] = []
        self._collection = TimedCollection(self.report, 0.1)

    def report(self, source: str, reason: str, _detail: object) -> None:
        """Collect a fault."""
        self.faults.append((source, reason))

    def collect(self, **functions: Any) -> dict[Any, Any]:
        """Return the results of functions by name."""
        sources = [Source(name, name, function) for name, function in functions.items()]
        return dict(self._collection.collect(sources))


class TestCollect:
    def test_results_are_returned_by_key(self) -> None:
        """The results are returned by key."""
        assert {"a": 1, "b": 2} == Bench().collect(a=lambda: 1, b=lambda: 2)

    def test_failing_source_is_reported_and_has_no_result(self) -> None:
        """A source that fails is reported, and the others are collected."""
        bench = Bench()

        assert {"b": 2} == bench.collect(a=lambda: 1 / 0, b=lambda: 2)
        assert [("a", "not exposed")] == bench.faults

    def test_slow_source_is_left_out_with_those_behind_it(self, slow: Slow) -> None:
        """A slow source is left out with those behind it, and is not called a second time."""
        bench = Bench()

        assert {} == bench.collect(a=slow.collect, b=lambda: 2)
        assert {"b": 2} == bench.collect(a=slow.collect, b=lambda: 2)
        assert [("a", "late"), ("b", "late"), ("a", "late")] == bench.faults

    def test_source_that_was_slow_comes_last(self, slow: Slow, eventually: Eventually) -> None:
        """A source that was slow comes last the next time, and is collected if it is fast again."""
        bench = Bench()
        bench.collect(a=slow.collect, b=lambda: 2)
        slow.gate.set()
        eventually(lambda: "otel_meta collection" not in map(_name, threading.enumerate()))
        slow.gate.clear()
        slow_again = bench.collect(a=slow.collect, b=lambda: 2)
        slow.gate.set()
        eventually(lambda: "otel_meta collection" not in map(_name, threading.enumerate()))

        assert {"b": 2} == slow_again
        assert {"a": "slow", "b": 2} == bench.collect(a=slow.collect, b=lambda: 2)

    def test_without_any_thread_sources_are_collected(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """If no thread can be started, the caller collects."""

        def fail(_self: threading.Thread) -> None:
            raise RuntimeError("can't create new thread at interpreter shutdown")

        monkeypatch.setattr(threading.Thread, "start", fail)

        assert {"a": 1} == Bench().collect(a=lambda: 1)
