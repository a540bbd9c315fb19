from __future__ import annotations

import gc
import logging
import multiprocessing
import os
import signal
import time
from multiprocessing.connection import Connection
from threading import Event, Thread
from typing import Any, Literal

import pytest

from otel_meta import Counter, Gauge, Histogram, NoLabels, labels
from otel_meta.runtime.export.producer import MetricProducer
from otel_meta.runtime.fork import ForkSafeLock, reset_after_fork
from otel_meta.runtime.recording.faults import Faults
from otel_meta.runtime.recording.storage import MetricStorage
from tests.runtime.forks import in_child

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork"),
    pytest.mark.usefixtures("untraced"),
]


@labels
class Request:
    route: str
    method: Literal["GET", "POST"] = "GET"


COUNTER = Counter("acme.requests", "Requests.", Request)
CLOSED = Counter("acme.jobs", "Jobs.", NoLabels)
GAUGE = Gauge("acme.level", "A level.", Request)
HISTOGRAM = Histogram("acme.size", "A size.", Request, buckets=(1, 10))


def shown(storage: MetricStorage) -> dict[str, list[Any]]:
    """Return label values and numbers of every series, by the name of the instrument."""
    return {
        family.instrument.name: [
            (c.labels, c.snapshot() if hasattr(c, "snapshot") else c.value) for c in family.cells()
        ]
        for family in (
            *(storage.family(i) for i in (COUNTER, CLOSED, GAUGE, HISTOGRAM)),
            storage.faults.family,
        )
    }


def recorded() -> MetricStorage:
    """Return the storage of a parent with a recording in every instrument."""
    storage = MetricStorage(Faults())
    storage.recorder(COUNTER).add(10, route="/")
    storage.recorder(CLOSED).add(10)
    storage.recorder(GAUGE).set(10, route="/")
    storage.recorder(HISTOGRAM).record(10, route="/")
    storage.faults.report("acme", "value", "x")
    return storage


NEW = {
    "acme.requests": [],
    "acme.jobs": [((), 0.0)],
    "acme.level": [],
    "acme.size": [],
    "otel_meta.faults": [],
}


class Resettable:
    """An object that notes its resets, and fails to reset if it has no name."""

    def __init__(self, name: str, notes: list[str]) -> None:
        self.name = name
        self.notes = notes

    def after_fork(self) -> None:
        """Note the reset, or fail."""
        if not self.name:
            raise RuntimeError("no")
        self.notes.append(self.name)


def hold(lock: ForkSafeLock, held: Event, done: Event) -> None:
    """Hold a lock until the second event."""
    with lock:
        held.set()
        done.wait()


def is_free(lock: ForkSafeLock) -> bool:
    """Return True if another thread can acquire the lock."""
    acquired: list[bool] = []

    def compete() -> None:
        acquired.append(lock.acquire(blocking=False))
        if acquired[0]:
            lock.release()

    thread = Thread(target=compete)
    thread.start()
    thread.join()
    return acquired[0]


class TestResetAfterFork:
    def test_objects_are_reset_in_order_of_registration(self) -> None:
        """Objects are reset in the order of registration, and a failure stops no later reset."""
        notes: list[str] = []
        objects = [Resettable(name, notes) for name in ("a", "", "b", "c")]
        for obj in objects:
            reset_after_fork(obj)

        assert ["a", "b", "c"] == in_child(lambda: notes)
        assert [] == notes

    def test_object_is_not_kept_alive_by_its_registration(self) -> None:
        """An object is not kept alive by its registration."""
        notes: list[str] = []
        reset_after_fork(Resettable("a", notes))
        gc.collect()

        assert [] == in_child(lambda: notes)

    def test_locks_are_renewed_before_other_objects(self) -> None:
        """Locks are renewed before other objects, whose reset may need them."""
        notes: list[str] = []
        held, done = Event(), Event()

        class Owner(Resettable):
            def after_fork(self) -> None:
                notes.append(str(lock.acquire(timeout=5)))

        owner = Owner("owner", notes)
        reset_after_fork(owner)
        lock = ForkSafeLock()
        thread = Thread(target=hold, args=(lock, held, done))
        thread.start()
        held.wait()
        try:
            assert ["True"] == in_child(lambda: notes)
        finally:
            done.set()
            thread.join()

    def test_failures_are_logged_after_all_resets(self) -> None:
        """Failures are logged after all resets, because a log handler may need a lock."""
        notes: list[str] = []
        handler = logging.Handler()
        handler.emit = lambda record: notes.append(record.getMessage())  # type: ignore[method-assign]
        logger = logging.getLogger("otel_meta")
        objects = [Resettable(name, notes) for name in ("", "a")]
        for obj in objects:
            reset_after_fork(obj)
        logger.addHandler(handler)
        try:
            in_order = in_child(lambda: notes)
        finally:
            logger.removeHandler(handler)

        assert ["a", "Resettable cannot be reset after a fork"] == in_order

    def test_exception_of_signal_handler_stops_no_later_reset(self) -> None:
        """Whatever is raised in a reset, even KeyboardInterrupt, stops no later reset."""
        notes: list[str] = []

        class Interrupted(Resettable):
            def after_fork(self) -> None:
                raise KeyboardInterrupt

        objects = [Interrupted("", notes), Resettable("a", notes)]
        for obj in objects:
            reset_after_fork(obj)

        assert ["a"] == in_child(lambda: notes)

    def test_object_may_be_registered_by_finalizer_during_reset(self) -> None:
        """An object that is registered during a reset does not disturb the reset."""
        notes: list[str] = []
        more = Resettable("more", notes)

        class Registering(Resettable):
            def after_fork(self) -> None:
                reset_after_fork(more)

        objects = [Registering("", notes), Resettable("a", notes)]
        for obj in objects:
            reset_after_fork(obj)

        assert ["a"] == in_child(lambda: notes)


class TestForkSafeLock:
    def test_exception_of_signal_handler_leaves_lock_free(self) -> None:
        """A signal handler that raises anywhere around a critical section leaves the lock free."""
        lock = ForkSafeLock()

        def expire(*_: object) -> None:
            raise TimeoutError

        def enter(seconds: float) -> None:
            signal.setitimer(signal.ITIMER_REAL, seconds, 0.01)
            while True:
                with lock:
                    pass

        before = signal.signal(signal.SIGALRM, expire)
        try:
            for number in range(300):
                with pytest.raises(TimeoutError):
                    enter(0.00002 + number * 1e-7)
                signal.setitimer(signal.ITIMER_REAL, 0)
                assert is_free(lock)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)

    def test_child_acquires_lock_that_a_thread_of_the_parent_holds(self) -> None:
        """A child acquires a lock that a thread of the parent holds."""
        lock = ForkSafeLock()
        held, done = Event(), Event()
        thread = Thread(target=hold, args=(lock, held, done))
        thread.start()
        held.wait()
        try:
            assert in_child(lambda: lock.acquire(timeout=5))
        finally:
            done.set()
            thread.join()

    def test_child_leaves_critical_section_it_was_forked_in(self) -> None:
        """A child that is forked inside the critical section can leave it and acquire the lock."""
        lock = ForkSafeLock()

        def work() -> bool:
            lock.release()
            return lock.acquire(timeout=5)

        with lock:
            assert in_child(work)

    def test_same_thread_acquires_lock_again_but_other_threads_wait(self) -> None:
        """The same thread acquires the lock again, and other threads wait for the last release."""
        lock = ForkSafeLock()
        acquired: list[bool] = []

        def compete() -> None:
            acquired.append(lock.acquire(timeout=0.01))

        with lock, lock:
            thread = Thread(target=compete)
            thread.start()
            thread.join()
        compete()

        assert [False, True] == acquired


class TestForked:
    def test_child_begins_with_series_of_new_process(self) -> None:
        """A child begins with the series of a new process."""
        storage = recorded()

        assert NEW == in_child(lambda: shown(storage))

    def test_recordings_of_child_leave_series_of_parent_unchanged(self) -> None:
        """Recordings of a child leave the series of the parent unchanged."""
        storage = recorded()
        before = shown(storage)
        in_child(lambda: storage.recorder(COUNTER).add(5, route="/"))

        assert before == shown(storage)

    def test_totals_of_child_begin_at_zero_even_through_calls(self) -> None:
        """Totals of a child begin at zero, even through calls and handles of the parent."""
        storage = recorded()
        handle = storage.recorder(COUNTER).with_labels(route="/")
        add = storage.recorder(COUNTER).add

        def work() -> Any:
            add(1, route="/")
            handle.add(2)
            return shown(storage)["acme.requests"]

        assert [(("/", "GET"), 3.0), (("/", "POST"), 0.0)] == in_child(work)

    def test_series_of_child_start_at_childs_first_recording(self) -> None:
        """Series of a child start at the child's first recording."""
        storage = recorded()
        time.sleep(0.001)
        forked = time.time_ns()

        def work() -> list[int]:
            storage.recorder(COUNTER).add(1, route="/")
            return [cell.start_ns for cell in storage.family(COUNTER).cells()]

        assert [True, True] == [start >= forked for start in in_child(work)]

    def test_child_has_whole_cardinality_limit_to_itself(self) -> None:
        """A child has the whole cardinality limit to itself."""
        storage = MetricStorage(Faults(), max_series=1)
        storage.recorder(GAUGE).set(1, route="a")
        storage.recorder(GAUGE).set(1, route="b")

        def work() -> Any:
            storage.recorder(GAUGE).set(2, route="b")
            return shown(storage)["acme.level"]

        assert [(("b", "GET"), 2.0)] == in_child(work)

    def test_deltas_of_reader_in_child_cover_recordings_of_child_only(self) -> None:
        """Deltas of a reader in a child cover recordings of the child only."""
        storage = recorded()
        points = MetricProducer(storage, "delta")
        points.collect()

        def work() -> Any:
            storage.recorder(COUNTER).add(3, route="/")
            metrics = {metric.name: metric.data.data_points for metric in points.collect().metrics}
            return [getattr(point, "value", None) for point in metrics["acme.requests"]]

        assert [3.0] == in_child(work)

    def test_child_of_child_begins_with_series_of_new_process(self) -> None:
        """The child of a child begins with the series of a new process."""
        storage = recorded()

        def work() -> Any:
            storage.recorder(COUNTER).add(3, route="/")
            return in_child(lambda: shown(storage))

        assert NEW == in_child(work)


def _pooled(number: int) -> list[Any]:
    _SHARED.recorder(COUNTER).add(number, route="/")
    return [cell.value for cell in _SHARED.family(COUNTER).cells()]


_SHARED = MetricStorage(Faults())


def _answer(storage: MetricStorage, to: Connection) -> None:
    storage.recorder(COUNTER).add(4, route="/")
    to.send(shown(storage)["acme.requests"])


class TestMultiprocessing:
    def test_process_forked_by_multiprocessing_begins_at_zero(self) -> None:
        """A process forked by multiprocessing begins at zero."""
        storage = recorded()
        context = multiprocessing.get_context("fork")
        ours, theirs = context.Pipe()
        process = context.Process(target=_answer, args=(storage, theirs))
        process.start()
        assert ours.poll(30)
        answer = ours.recv()
        process.join()

        assert [(("/", "GET"), 4.0), (("/", "POST"), 0.0)] == answer

    def test_workers_of_pool_begin_at_zero_and_parent_keeps(self) -> None:
        """Workers of a pool begin at zero, and the parent keeps its counts."""
        _SHARED.recorder(COUNTER).add(100, route="/")
        with multiprocessing.get_context("fork").Pool(1) as pool:
            totals = pool.map(_pooled, [1, 2])

        assert [[1.0, 0.0], [3.0, 0.0]] == totals
        assert [100.0, 0.0] == [cell.value for cell in _SHARED.family(COUNTER).cells()]
