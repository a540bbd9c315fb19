from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from threading import Barrier, Thread
from typing import Any, Literal

import pytest

from otel_meta import DeclarationError, Histogram, NoLabels, labels
from otel_meta.runtime.recording import timer as timer_module
from otel_meta.runtime.recording.faults import Faults
from otel_meta.runtime.recording.storage import MetricStorage
from otel_meta.runtime.recording.timer import Timer


@labels
class Query:
    table: str
    outcome: Literal["ok", "failed"] = "ok"


HISTOGRAM = Histogram("acme.query", "Queries.", Query, unit="s", buckets=(1, 10))


class Clock:
    """A clock that tests advance."""

    now = 100.0

    def __call__(self) -> float:
        """Return the current time."""
        return self.now


class Bench:
    """A timer with its clock and its reports."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.reports: list[tuple[float, Mapping[str, Any]]] = []
        self.timer = Timer(lambda *report: self.reports.append(report), {"table": "orders"})

    def work(self, seconds: float) -> None:
        """Advance the clock."""
        self.clock.now += seconds

    @property
    def seconds(self) -> list[float]:
        """The reported seconds."""
        return [seconds for seconds, _ in self.reports]


@pytest.fixture
def it(monkeypatch: pytest.MonkeyPatch) -> Bench:
    """Return a timer with a fixed clock."""
    clock = Clock()
    monkeypatch.setattr(timer_module, "perf_counter", clock)
    return Bench(clock)


class TestBlock:
    def test_timed_block_is_reported_with_its_seconds_and_labels(self, it: Bench) -> None:
        """A timed block is reported with its seconds and labels."""
        with it.timer:
            it.work(2.5)

        assert [(2.5, {"table": "orders"})] == it.reports

    def test_block_that_raises_is_reported_and_its_exception_propagates(self, it: Bench) -> None:
        """A block that raises is reported, and its exception propagates."""

        def fail() -> None:
            with it.timer:
                it.work(1)
                raise KeyError

        with pytest.raises(KeyError):
            fail()

        assert [1.0] == it.seconds

    def test_labels_from_inside_block_replace_labels_of_its_run(self, it: Bench) -> None:
        """Labels from inside a block replace the labels of its run."""
        with it.timer as timing:
            timing.labels(table="orders", outcome="failed")
        with it.timer:
            pass

        assert [{"table": "orders", "outcome": "failed"}, {"table": "orders"}] == [
            given for _, given in it.reports
        ]

    def test_timer_may_be_used_again(self, it: Bench) -> None:
        """A timer may be used again."""
        for seconds in (1, 2):
            with it.timer:
                it.work(seconds)

        assert [1.0, 2.0] == it.seconds

    def test_runs_of_one_timer_may_be_nested(self, it: Bench) -> None:
        """Runs of one timer may be nested."""
        with it.timer:
            it.work(1)
            with it.timer:
                it.work(2)
            it.work(4)

        assert [2.0, 7.0] == it.seconds

    def test_threads_that_share_timer_are_timed_separately(self, it: Bench) -> None:
        """Threads that share a timer are timed separately, in any order of their ends."""
        started, long_done = Barrier(2), Barrier(2)

        def short() -> None:
            started.wait()
            with it.timer:
                long_done.wait()
                long_done.wait()

        thread = Thread(target=short)
        thread.start()
        with it.timer:
            it.work(5)
            started.wait()
            long_done.wait()
        it.work(1)
        long_done.wait()
        thread.join()

        assert [5.0, 1.0] == it.seconds

    def test_tasks_that_share_timer_are_timed_separately(self, it: Bench) -> None:
        """Tasks that share a timer are timed separately, in any order of their ends."""

        async def run() -> None:
            first_in, second_in, first_out = asyncio.Event(), asyncio.Event(), asyncio.Event()

            async def first() -> None:
                with it.timer:
                    it.work(5)
                    first_in.set()
                    await second_in.wait()
                first_out.set()

            async def second() -> None:
                await first_in.wait()
                with it.timer:
                    second_in.set()
                    await first_out.wait()
                    it.work(1)

            await asyncio.gather(first(), second())

        asyncio.run(run())

        assert [5.0, 1.0] == it.seconds

    def test_block_may_end_in_another_thread_as_that_of_generator(self, it: Bench) -> None:
        """A block may end in another thread, as that of a generator dependency does."""

        def block() -> Iterator[None]:
            with it.timer:
                it.work(3)
                yield

        running = block()
        thread = Thread(target=next, args=(running,))
        thread.start()
        thread.join()
        assert None is next(running, None)

        assert [3.0] == it.seconds

    def test_end_without_beginning_reports_nothing(self, it: Bench) -> None:
        """An end without a beginning reports nothing."""
        it.timer.__exit__(None, None, None)

        assert [] == it.reports


class TestDecorator:
    def test_timed_function_keeps_its_name_arguments_and_result(self, it: Bench) -> None:
        """A timed function keeps its name, arguments and result."""

        @it.timer
        def double(number: int, *, more: int = 0) -> int:
            """Twice as much."""
            it.work(number)
            return 2 * number + more

        assert (5, 6) == (double(2, more=1), double(3))
        assert ("double", "Twice as much.") == (double.__name__, double.__doc__)
        assert [2.0, 3.0] == it.seconds

    def test_recursive_function_is_reported_once_call(self, it: Bench) -> None:
        """A recursive function is reported once a call."""

        @it.timer
        def down(number: int) -> None:
            it.work(1)
            if number:
                down(number - 1)

        down(2)

        assert [1.0, 2.0, 3.0] == it.seconds

    def test_call_that_raises_is_reported_and_its_exception_propagates(self, it: Bench) -> None:
        """A call that raises is reported, and its exception propagates."""

        @it.timer
        def fail() -> None:
            it.work(1)
            raise KeyError

        with pytest.raises(KeyError):
            fail()

        assert [1.0] == it.seconds

    def test_coroutine_function_is_timed_until_its_end(self, it: Bench) -> None:
        """A coroutine function stays a coroutine function and is timed until its end."""

        @it.timer
        async def wait(seconds: float) -> float:
            await asyncio.sleep(0)
            it.work(seconds)
            return seconds

        assert inspect.iscoroutinefunction(wait)
        assert 2.0 == asyncio.run(wait(2.0))
        assert [2.0] == it.seconds

    def test_concurrent_coroutines_are_timed_separately(self, it: Bench) -> None:
        """Concurrent coroutines are timed separately."""

        @it.timer
        async def wait(rounds: int) -> None:
            for _ in range(rounds):
                await asyncio.sleep(0)
                it.work(1)

        async def run() -> None:
            await asyncio.gather(wait(1), wait(3))

        asyncio.run(run())

        assert [1.0, 4.0] == [it.seconds[0], it.seconds[1]]

    def test_method_is_timed_like_function(self, it: Bench) -> None:
        """A method is timed like a function."""

        class Store:
            @it.timer
            def load(self) -> str:
                it.work(1)
                return type(self).__name__

        assert "Store" == Store().load()
        assert [1.0] == it.seconds

    def test_timer_refuses_to_decorate_generator(self, it: Bench) -> None:
        """A timer refuses to decorate a generator, whose call takes no time."""

        def numbers() -> Iterator[int]:
            yield 1

        async def later() -> AsyncIterator[int]:
            yield 1

        functions: list[Callable[..., Any]] = [numbers, later]
        for function in functions:
            with pytest.raises(DeclarationError, match="time a block inside it"):
                it.timer(function)


class TestHistogram:
    def test_timer_of_histogram_records_with_labels_of_run(self) -> None:
        """The timer of a histogram records with the labels of the run."""
        storage = MetricStorage(Faults())
        with storage.recorder(HISTOGRAM).time(table="orders") as timing:
            timing.labels(table="orders", outcome="failed")
        (cell,) = storage.family(HISTOGRAM).cells()

        assert (("orders", "failed"), [1, 0, 0]) == (cell.labels, cell.snapshot()[0])

    def test_timer_of_handle_records_with_labels_of_handle(self) -> None:
        """The timer of a handle records with the labels of the handle."""
        storage = MetricStorage(Faults())
        with storage.recorder(HISTOGRAM).with_labels(table="orders").time():
            pass
        (cell,) = storage.family(HISTOGRAM).cells()

        assert (("orders", "ok"), [1, 0, 0]) == (cell.labels, cell.snapshot()[0])

    @pytest.mark.parametrize(("unit", "recorded"), [("s", 86_400.0), ("d", 1.0)])
    def test_timer_records_in_unit_of_histogram(
        self, it: Bench, unit: str, recorded: float
    ) -> None:
        """The timer records in the unit of the histogram."""
        storage = MetricStorage(Faults())
        histogram = Histogram("acme.age", "Ages.", NoLabels, unit=unit, buckets=(1,))
        with storage.recorder(histogram).time():
            it.work(86_400)
        (cell,) = storage.family(histogram).cells()

        assert recorded == cell.snapshot()[1]

    def test_timer_of_unit_other_than_time_counts_fault(self) -> None:
        """A timer of a unit other than time records nothing and counts a fault."""
        storage = MetricStorage(Faults())
        histogram = Histogram("acme.size", "Sizes.", NoLabels, unit="By", buckets=(1,))
        with storage.recorder(histogram).time():
            pass

        assert [] == list(storage.family(histogram).cells())
        assert 1.0 == storage.faults.count()

    def test_timer_with_unknown_labels_counts_fault_and_block_runs(self) -> None:
        """A timer with unknown labels counts a fault, and the block runs."""
        storage = MetricStorage(Faults())
        recorder: Any = storage.recorder(HISTOGRAM)
        with recorder.time(tabel="orders"):
            done = True

        assert (True, 1.0) == (done, storage.faults.count())
