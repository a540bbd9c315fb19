from __future__ import annotations

import gc
import math
import multiprocessing
import os
import pickle
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from multiprocessing.connection import Connection
from threading import Event, Lock, RLock, Thread
from typing import Any, Literal

import pytest
from opentelemetry.sdk.trace import TracerProvider

from otel_meta import Counter, Gauge, Histogram, NoLabels, labels
from otel_meta.runtime.export.producer import MetricProducer
from otel_meta.runtime.fork import ForkSafeLock, reset_after_fork
from otel_meta.runtime.recording.faults import Faults
from otel_meta.runtime.recording.storage import MetricStorage

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")


@labels
class Request:
    route: str
    method: Literal["GET", "POST"] = "GET"


COUNTER = Counter("acme.requests", "Requests.", Request)
CLOSED = Counter("acme.jobs", "Jobs.", NoLabels)
GAUGE = Gauge("acme.level", "A level.", Request)
HISTOGRAM = Histogram("acme.size", "A size.", Request, buckets=(1, 10))
LOCKS = (type(Lock()), type(RLock()))


def in_child(work: Callable[[], Any]) -> Any:
    """Return the result of a function that runs in a forked child."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            with os.fdopen(writing, "wb") as out:
                out.write(pickle.dumps(work()))
        except BaseException:  # noqa: BLE001 - a child must not go on with its parent's tests
            traceback.print_exc(file=sys.__stderr__)
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as answer:
        if not select.select([reading], [], [], 30)[0]:
            os.kill(child, signal.SIGKILL)
        text = answer.read()
    os.waitpid(child, 0)
    assert text, "the child does not answer"
    return pickle.loads(text)


def locks_within(*objects: object) -> list[AbstractContextManager[object]]:
    """Return all locks that objects of the package hold, themselves or through their parts."""
    found: list[AbstractContextManager[object]] = []
    seen: set[int] = set()
    remaining: list[object] = list(objects)
    while remaining:
        obj = remaining.pop()
        if id(obj) in seen:
            continue
        seen.add(id(obj))
        if isinstance(obj, LOCKS):
            found.append(obj)
        elif type(obj).__module__.startswith("otel_meta") or isinstance(obj, dict | list | tuple):
            remaining.extend(gc.get_referents(obj))
    return found


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


class TestForkSafeLock:
    def test_child_acquires_lock_that_a_thread_of_the_parent_holds(self) -> None:
        """A child acquires a lock that a thread of the parent holds."""
        lock = ForkSafeLock()
        held, done = Event(), Event()

        def hold() -> None:
            with lock:
                held.set()
                done.wait()

        thread = Thread(target=hold)
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

    def test_child_records_although_parent_held_every_lock(self) -> None:
        """A child can record and collect, although a thread of the parent held every lock."""
        storage = recorded()
        producer = MetricProducer(storage)
        locks = locks_within(storage, producer)
        held, done = Event(), Event()

        def hold() -> None:
            with ExitStack() as stack:
                for lock in locks:
                    stack.enter_context(lock)
                held.set()
                done.wait()

        def work() -> int:
            tracer = TracerProvider(shutdown_on_exit=False)
            tracer.add_span_processor(storage.spans)
            with tracer.get_tracer("test").start_as_current_span("a"):
                storage.recorder(GAUGE).set(1, route="new")
            storage.recorder(GAUGE).set(math.nan, route="new")
            return len(producer.collect().metrics)

        thread = Thread(target=hold)
        thread.start()
        held.wait()
        try:
            assert 0 < in_child(work)
        finally:
            done.set()
            thread.join()

    def test_search_for_locks_finds_all(self) -> None:
        """The search for locks finds those of the storage, its series, faults, spans and reader."""
        storage = recorded()

        assert 5 <= len(locks_within(storage, MetricProducer(storage)))


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
