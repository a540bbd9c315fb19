"""Recordings that a signal handler, or another thread, interrupts with an exception."""

from __future__ import annotations

import ctypes
import gc
import logging
import random
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from opentelemetry.sdk.trace import TracerProvider

from otel_meta import Counter, Gauge, Histogram, UpDownCounter, labels
from otel_meta.runtime.lifecycle.span_processors import SampledSpanCounter
from otel_meta.runtime.multiprocess.workers import Workers
from otel_meta.runtime.recording.faults import Faults, logger
from otel_meta.runtime.recording.storage import MetricStorage


@labels
class Request:
    route: str
    outcome: Literal["success", "failure"] = "success"


COUNTER = Counter("acme.requests", "Requests.", Request)
UP_DOWN = UpDownCounter("acme.connections", "Connections.", Request)
GAUGE = Gauge("acme.level", "A level.", Request)
HISTOGRAM = Histogram("acme.size", "A size.", Request, buckets=(1, 10, 100))
TIMER = Histogram("acme.duration", "A duration.", Request, unit="s", buckets=(1, 10))


class TimeLimit(Exception):
    """A task queue's time limit, as of rq and Celery."""


LIMITS: tuple[type[BaseException], ...] = (
    TimeLimit,
    TypeError,
    ValueError,
    KeyError,
    OverflowError,
    RuntimeError,
    TimeoutError,
    BlockingIOError,
    KeyboardInterrupt,
    SystemExit,
)
LIMITS_BY_THREAD = tuple(limit for limit in LIMITS if not issubclass(limit, OSError))
"""An OSError that another thread sets cannot be told from one of the file system."""

ROUNDS = 8 * len(LIMITS)


class Number:
    """A number whose conversion runs Python code."""

    def __float__(self) -> float:
        return sum([0.5, 0.5])


class Text:
    """A label value whose text and hash run Python code."""

    def __str__(self) -> str:
        return "/a"

    def __hash__(self) -> int:
        return hash("a")

    def __eq__(self, other: object) -> bool:
        return self is other


class Service:
    """Live instruments, and each way to record with them."""

    def __init__(self, storage: MetricStorage) -> None:
        self.storage = storage
        self.counter: Any = storage.recorder(COUNTER)
        self.up_down: Any = storage.recorder(UP_DOWN)
        self.gauge: Any = storage.recorder(GAUGE)
        self.histogram: Any = storage.recorder(HISTOGRAM)
        self.timer: Any = storage.recorder(TIMER)
        self.handles: list[Any] = [
            live.with_labels(route="/") for live in (self.counter, self.gauge, self.histogram)
        ]
        self.decorated = self.timer.time(route="/")(lambda: None)
        self.number = 0

    def new_route(self) -> str:
        """Return a route without a series."""
        self.number += 1
        return f"/{self.number}"

    def time_block(self) -> None:
        """Time an empty block."""
        with self.timer.time(route="/"):
            pass

    def create_and_remove(self) -> None:
        """Record into a new series, and remove it."""
        route = self.new_route()
        self.counter.add(1, route=route)
        self.counter.remove(route=route)
        self.counter.remove(route=route, outcome="failure")


WAYS: dict[str, Callable[[Service], object]] = {
    "add": lambda it: it.counter.add(1, route="/"),
    "subtract": lambda it: it.up_down.add(-1, route="/"),
    "set": lambda it: it.gauge.set(1, route="/"),
    "record": lambda it: it.histogram.record(5, route="/"),
    "add by handle": lambda it: it.handles[0].add(1),
    "set by handle": lambda it: it.handles[1].set(1),
    "record by handle": lambda it: it.handles[2].record(5),
    "make a handle": lambda it: it.histogram.with_labels(route=it.new_route()),
    "time a block": Service.time_block,
    "time a call": lambda it: it.decorated(),
    "create and remove": Service.create_and_remove,
    "overflow": lambda it: it.gauge.set(1, route=it.new_route()),
    "foreign number": lambda it: it.counter.add(Number(), route="/"),
    "foreign text": lambda it: it.counter.add(1, route=Text()),
    "value outside the set": lambda it: it.counter.add(1, route="/", outcome="succes"),
    "unknown label": lambda it: it.counter.add(1, ruote="/"),
    "invalid value": lambda it: it.counter.add("1", route="/"),
    "invalid value by handle": lambda it: it.handles[2].record("1"),
}


@pytest.fixture(params=["heap", "workers"])
def service(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Service:
    """Return instruments whose numbers are in the heap, or in shared memory.

    Nothing is logged: before Python 3.13, an interrupted `logging` keeps its locks for ever.
    """
    monkeypatch.setattr(logging.getLogger("otel_meta"), "disabled", True)
    if request.param == "heap":
        return Service(MetricStorage(Faults(), max_series=20))
    allocator = Workers(tmp_path, "acme", "acme").allocator
    return Service(MetricStorage(Faults(allocator), allocator, max_series=20))


@pytest.fixture
def sampled_span(service: Service) -> Iterator[None]:
    """Make a sampled span current, so that recordings take exemplars."""
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SampledSpanCounter(service.storage.spans))
    with provider.get_tracer("test").start_as_current_span("request"):
        yield


class Alarm:
    """A time limit in microseconds, which raises an exception once."""

    def __init__(self) -> None:
        self.limit: type[BaseException] | None = None
        self.fired = 0

    def __call__(self, _signum: int, _frame: object) -> None:
        """Raise the exception."""
        limit, self.limit = self.limit, None
        if limit is not None:
            self.fired += 1
            raise limit

    def interrupt(self, work: Callable[[], object], limit: type[BaseException]) -> bool:
        """Repeat a function until the limit; return True if the function raises the limit."""
        self.limit = limit
        try:
            # Repeated, because CPython 3.11 may overlook a signal until the next one.
            signal.setitimer(signal.ITIMER_REAL, random.uniform(0.00003, 0.0002), 0.01)
            self._repeat(work)
        except limit:
            return True
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        return False

    def interrupt_often(self, work: Callable[[], object]) -> int:
        """Interrupt a function by each kind of limit; return how often it raised the limit."""
        return sum(self.interrupt(work, LIMITS[n % len(LIMITS)]) for n in range(ROUNDS))

    def _repeat(self, work: Callable[[], object]) -> None:
        while self.limit is not None:
            work()


@pytest.fixture(autouse=True)
def without_collector_and_logging() -> Iterator[None]:
    """Run no code of other libraries at which a limit can be raised.

    CPython ignores exceptions in callbacks of the collector. An exception in the logging module can
    leave its lock held for ever.
    """
    gc.collect()
    gc.disable()
    logger.disabled = True
    yield
    logger.disabled = False
    gc.enable()


@pytest.fixture
def alarm() -> Iterator[Alarm]:
    """Return a time limit, whose handler is removed after the test."""
    alarm = Alarm()
    before = signal.signal(signal.SIGALRM, alarm)
    yield alarm
    signal.signal(signal.SIGALRM, before)


def raise_in_thread(ident: int, error: type[BaseException]) -> None:
    """Raise an exception in a thread, as rq does where there are no signals."""
    set_error = ctypes.pythonapi.PyThreadState_SetAsyncExc
    set_error(ctypes.c_ulong(ident), ctypes.py_object(error))


@pytest.mark.usefixtures("untraced")
class TestTimeLimit:
    @pytest.mark.parametrize("way", WAYS)
    def test_every_limit_reaches_application(
        self, way: str, service: Service, alarm: Alarm
    ) -> None:
        """Every exception of a handler reaches the application, whatever is recorded."""
        raised = alarm.interrupt_often(lambda: WAYS[way](service))

        assert (ROUNDS, ROUNDS) == (alarm.fired, raised)

    @pytest.mark.usefixtures("sampled_span")
    @pytest.mark.parametrize("way", ["add", "record", "add by handle", "record by handle"])
    def test_every_limit_reaches_application_in_sampled_span(
        self, way: str, service: Service, alarm: Alarm
    ) -> None:
        """Every exception of a handler reaches the application while exemplars are taken."""
        raised = alarm.interrupt_often(lambda: WAYS[way](service))

        assert (ROUNDS, ROUNDS) == (alarm.fired, raised)

    @pytest.mark.usefixtures("sampled_span")
    @pytest.mark.parametrize("way", ["record", "record by handle"])
    def test_interrupted_recording_counts_once_or_not_at_all(
        self, way: str, service: Service, alarm: Alarm
    ) -> None:
        """An interrupted recording counts once or not at all, in the count and in the sum."""
        cell = service.storage.family(HISTOGRAM).find({"route": "/"})
        begun = 0

        def record() -> None:
            nonlocal begun
            begun += 1
            WAYS[way](service)

        for number in range(ROUNDS):
            begun, before = 0, sum(cell.snapshot()[0])
            alarm.interrupt(record, LIMITS[number % len(LIMITS)])
            counts, total = cell.snapshot()

            assert sum(counts) - before in (begun - 1, begun)
            assert 5.0 * sum(counts) == total

    @pytest.mark.parametrize("way", ["add", "record", "set by handle", "create and remove"])
    def test_limit_that_another_thread_sets_reaches_application(
        self, way: str, service: Service
    ) -> None:
        """An exception that another thread sets reaches the application."""
        raised: list[type[BaseException]] = []

        def record() -> None:
            started.set()
            while not done.is_set():
                WAYS[way](service)

        def work(limit: type[BaseException]) -> None:
            try:
                record()  # around a loop itself, CPython 3.13 misses an exception at its jump
            except limit:
                raised.append(limit)

        done = threading.Event()
        for limit in LIMITS_BY_THREAD:
            started = threading.Event()
            thread = threading.Thread(target=work, args=(limit,))
            thread.start()
            started.wait()
            assert thread.ident
            raise_in_thread(thread.ident, limit)
            thread.join(10)
        done.set()

        assert list(LIMITS_BY_THREAD) == raised


@pytest.mark.usefixtures("untraced")
class TestReentrancy:
    def test_handler_that_records_loses_nothing(self, service: Service) -> None:
        """A handler that records into new series, also the interrupted one, loses nothing."""
        current, recorded = "/", 0

        def record(_signum: int, _frame: object) -> None:
            nonlocal recorded
            service.counter.add(1, route=current)
            service.counter.add(1, route=current + "handler")
            service.up_down.add(1, route=current)
            recorded += 1

        before = signal.signal(signal.SIGALRM, record)
        signal.setitimer(signal.ITIMER_REAL, 0.0001, 0.0001)
        try:
            for number in range(2000):
                current = f"/{number % 15}/{number}"
                service.counter.add(1, route=current)
                service.up_down.add(1, route=current)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
        totals = [
            sum(cell.value for cell in service.storage.family(instrument).cells())
            for instrument in (COUNTER, UP_DOWN)
        ]

        assert recorded > 0
        assert [2000 + 2 * recorded, 2000 + recorded] == totals

    def test_handler_may_create_series_that_it_interrupts(
        self, service: Service, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A handler between the allocation of a cell and its link records into the same series."""
        family = service.storage.family(GAUGE)
        new_cell = family._new_cell

        def interrupted(values: tuple[str, ...]) -> Any:
            monkeypatch.setattr(family, "_new_cell", new_cell)
            cell = new_cell(values)
            service.gauge.set(7, route="/new")
            return cell

        monkeypatch.setattr(family, "_new_cell", interrupted)
        handle = service.gauge.with_labels(route="/new")

        assert 7 == family.find({"route": "/new"}).value
        handle.set(8)
        assert 8 == family.find({"route": "/new"}).value


class TestRecursionLimit:
    @pytest.mark.parametrize("way", ["add", "record", "set", "record by handle"])
    def test_recording_near_recursion_limit_counts_or_raises(self, way: str) -> None:
        """A recording near the recursion limit counts once, or raises RecursionError."""
        service = Service(MetricStorage(Faults()))
        WAYS[way](service)
        outcomes: list[bool] = []

        def descend() -> None:
            try:
                WAYS[way](service)
            except RecursionError:
                outcomes.append(False)
            else:
                outcomes.append(True)
            descend()

        with pytest.raises(RecursionError):
            descend()
        if way != "set":
            family = service.storage.family(HISTOGRAM if "record" in way else COUNTER)
            cell: Any = family.find({"route": "/"})
            count = sum(cell.snapshot()[0]) if "record" in way else cell.value
            assert sum(outcomes) + 1 == count
        assert outcomes.count(False) <= 4
        assert 0 == service.storage.faults.count()
        assert sys.getrecursionlimit() > len(outcomes) > 100
