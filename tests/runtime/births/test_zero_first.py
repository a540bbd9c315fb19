"""The zero before the first event, as servers see it, over random scrapes, births and workers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import ExitStack, contextmanager
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otel_meta import Counter, Gauge, Histogram, labels
from otel_meta.runtime.births.shared_marks import SharedMarks
from otel_meta.runtime.births.zero_first import SCRAPE_HOLD, WINDOW, FamilyLike, ZeroFirst
from otel_meta.runtime.multiprocess.workers import Workers
from otel_meta.runtime.recording.faults import Faults
from otel_meta.runtime.recording.storage import MetricStorage

INTERVAL = 15
LATER = round(WINDOW) + 60
START_NS = 1_700_000_000 * 10**9


@labels
class Tenant:
    """The label of each series."""

    tenant: str


EVENTS = Counter("shop.events", "Events.", Tenant)
WAITS = Histogram("shop.waits", "Waits.", Tenant, unit="s", buckets=(1, 5))
SIZE = Gauge("shop.size", "Size.", Tenant)


class Clock:
    """The wall clock of all workers."""

    def __init__(self) -> None:
        self.now_ns = START_NS

    def __call__(self) -> int:
        """Return nanoseconds since the epoch."""
        return self.now_ns

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.now_ns += round(seconds * 1e9)


class Process:
    """A process with series of its own, or shared in a directory, and its page for servers."""

    def __init__(self, clock: Clock, path: Path | None = None) -> None:
        self.workers = None if path is None else Workers(path, "shop", "shop")
        allocator = None if self.workers is None else self.workers.allocator
        faults = Faults(allocator)
        self.storage = MetricStorage(faults, allocator)
        self.storage.recorder(EVENTS)  # declared by each process, as by `bind`
        self._families: Callable[[], Iterable[Any]] = self.storage.families
        if self.workers is not None:
            self._families = self.workers.view(self.storage.families, faults.report).families
        marks = None if self.workers is None else self.workers.marks()
        self.zero_first = ZeroFirst(SCRAPE_HOLD * INTERVAL, store=marks, clock_ns=clock)

    def record(self, tenant: str) -> None:
        """Count an event."""
        self.storage.recorder(EVENTS).add(1, tenant=tenant)

    def remove(self, tenant: str) -> None:
        """Remove a series."""
        self.storage.recorder(EVENTS).remove(tenant=tenant)

    def die(self) -> None:
        """End; the series of a worker stay in the directory."""
        if self.workers is not None:
            self.workers.allocator.close()

    def page(self) -> list[FamilyLike]:
        """Return the families of a page for a server."""
        shown = self.zero_first.scrape().shown
        return [shown(family) for family in self._families()]

    def counts(self) -> dict[str, float]:
        """Return the events of each tenant on a page for a server."""
        return {
            cell.labels[0]: cell.value
            for family in self.page()
            if family.instrument == EVENTS
            for cell in family.cells()
        }


@contextmanager
def running(count: int = 1, *, shared: bool = False) -> Generator[tuple[Clock, list[Process]]]:
    """Run processes at a time that passes only when the test says so."""
    clock = Clock()
    with ExitStack() as stack:
        stack.enter_context(mock.patch("time.time_ns", clock))
        path = Path(stack.enter_context(TemporaryDirectory())) / "numbers" if shared else None
        processes = [Process(clock, path) for _ in range(count)]
        for process in processes:
            stack.callback(process.die)
        yield clock, processes


def increase(samples: Sequence[float]) -> float:
    """Return what Prometheus counts: a smaller sample is the first one after a restart."""
    return sum(
        later - earlier if later >= earlier else later for earlier, later in pairwise(samples)
    )


class Servers:
    """Servers that scrape at intervals, any worker answering."""

    def __init__(self) -> None:
        self.samples: dict[tuple[int, str], list[float]] = defaultdict(list)

    def scrape(self, server: int, process: Process) -> None:
        """Store the samples of a page."""
        for tenant, value in process.counts().items():
            self.samples[server, tenant].append(value)


events = st.lists(
    st.tuples(st.integers(0, 120), st.integers(0, 1), st.sampled_from("abc")), max_size=12
)
phases = st.lists(st.integers(1, INTERVAL), min_size=1, max_size=3)


@pytest.mark.parametrize("shared", [False, True], ids=["one process", "workers of a directory"])
@settings(max_examples=60)
@given(
    events=events,
    phases=phases,
    death=st.integers(1, 200),
    answers=st.lists(st.integers(0, 1), min_size=8, max_size=8),
)
def test_each_server_counts_every_event_and_no_series_goes_back(
    *,
    shared: bool,
    events: list[tuple[int, int, str]],
    phases: list[int],
    death: int,
    answers: list[int],
) -> None:
    """Each server counts every event, and no series goes back, whoever answers and dies."""
    servers, recorded = Servers(), dict.fromkeys("abc", 0)
    with running(2 if shared else 1, shared=shared) as (clock, processes):
        for second in range(240):
            if second == death and len(processes) > 1:
                processes.pop().die()
            for at, worker, tenant in events:
                if at == second:
                    processes[worker % len(processes)].record(tenant)
                    recorded[tenant] += 1
            clock.advance(0.5)
            for server, phase in enumerate(phases):
                if second % INTERVAL == phase % INTERVAL and second >= phase:
                    answering = answers[(second + server) % len(answers)] % len(processes)
                    servers.scrape(server, processes[answering])
            clock.advance(0.5)

    for (_, tenant), samples in servers.samples.items():
        assert sorted(samples) == samples
        assert recorded[tenant] == increase(samples)


@settings(max_examples=60)
@given(events=events, phase=st.integers(1, INTERVAL))
def test_sample_lags_by_at_most_one_scrape(events: list[tuple[int, int, str]], phase: int) -> None:
    """A sample has at least the events of the scrape before, so the parts of a ratio differ little.

    An error ratio divides two counters. If one series is new and the other is not, the numbers of
    one scrape interval are missing in one of them, until the next scrape.
    """
    recorded: dict[str, int] = defaultdict(int)
    before: dict[str, int] = {}
    with running() as (clock, (process,)):
        for second in range(150):
            for at, _, tenant in events:
                if at == second:
                    process.record(tenant)
                    recorded[tenant] += 1
            clock.advance(1)
            if second % INTERVAL == phase % INTERVAL:
                shown = process.counts()
                assert all(shown[tenant] >= count for tenant, count in before.items())
                before = dict(recorded)


changes = st.lists(
    st.one_of(
        st.tuples(st.just("pass"), st.integers(1, 400)),
        st.tuples(st.just("record"), st.sampled_from("ab")),
        st.tuples(st.just("remove"), st.sampled_from("ab")),
        st.tuples(st.just("scrape"), st.just("")),
    ),
    max_size=40,
)


@settings(max_examples=100)
@given(changes=changes)
def test_series_goes_back_only_by_removal(changes: list[tuple[str, Any]]) -> None:
    """At any times of scrapes, a series goes back only by a removal."""
    shown: dict[str, float] = {}
    with running() as (clock, (process,)):
        for change, argument in changes:
            match change:
                case "pass":
                    clock.advance(argument)
                case "record":
                    process.record(argument)
                case "remove":
                    process.remove(argument)
                    shown.pop(argument, None)
                case _:
                    counts = process.counts()
                    assert all(counts[tenant] >= value for tenant, value in shown.items())
                    shown = counts


def series(process: Process, instrument: Any) -> list[Any]:
    """Return the cells of an instrument on a page for a server."""
    return [
        cell
        for family in process.page()
        if family.instrument == instrument
        for cell in family.cells()
    ]


class TestPage:
    def test_new_counter_and_histogram_are_at_zero_in_first_scrape_alone(self) -> None:
        """A new counter and a new histogram are at zero in the first scrape alone."""
        with running() as (clock, (process,)):
            process.record("a")
            process.storage.recorder(WAITS).record(3, tenant="a")
            clock.advance(1)
            (events,), (waits,) = series(process, EVENTS), series(process, WAITS)
            clock.advance(INTERVAL)
            (later_events,), (later_waits,) = series(process, EVENTS), series(process, WAITS)

        assert (0, ([0, 0, 0], 0.0)) == (events.value, waits.snapshot())
        assert (1, ([0, 1, 0], 3.0)) == (later_events.value, later_waits.snapshot())

    def test_gauge_has_its_value_at_once(self) -> None:
        """A gauge has its value at once."""
        with running() as (_, (process,)):
            process.storage.recorder(SIZE).set(3, tenant="a")

            assert [3] == [cell.value for cell in series(process, SIZE)]

    def test_recording_after_scrape_does_not_change_the_zero(self) -> None:
        """A recording between the listing of a page and its rendering does not change the zero."""
        with running() as (_, (process,)):
            process.record("a")
            (cell,) = series(process, EVENTS)
            process.record("a")

            assert 0 == cell.value

    def test_series_may_be_listed_a_moment_after_its_start(self) -> None:
        """A series that the scrape after its start did not list yet is at zero in the next one."""
        with running() as (clock, (process,)):
            process.page()
            clock.advance(-0.05)
            process.record("a")
            clock.advance(INTERVAL)

            assert {"a": 0} == process.counts()

    def test_series_that_was_removed_begins_at_zero_again(self) -> None:
        """A series that was removed and recorded anew begins at zero again."""
        with running() as (clock, (process,)):
            samples = []
            for _ in range(3):
                process.record("a")
                clock.advance(1)
                samples.append(process.counts()["a"])
                clock.advance(INTERVAL)
            process.remove("a")
            for _ in range(5):
                process.record("a")
            clock.advance(1)
            for _ in range(2):
                samples.append(process.counts()["a"])
                clock.advance(INTERVAL)

        assert [0, 2, 3, 0, 5] == samples

    def test_events_before_first_scrape_count(self) -> None:
        """The events of a process that a server finds later count."""
        with running() as (clock, (process,)):
            process.record("a")
            clock.advance(WINDOW - 1)
            first = process.counts()["a"]
            clock.advance(INTERVAL)

            assert [0, 1] == [first, process.counts()["a"]]

    def test_series_that_was_long_unknown_has_its_value_at_once(self) -> None:
        """A series that no server knew for long has its value at once: no burst of an hour."""
        with running() as (clock, (process,)):
            process.record("a")
            clock.advance(LATER)

            assert {"a": 1} == process.counts()

    def test_scrapes_may_be_longer_apart_than_the_setting(self) -> None:
        """A single server counts the first event, although it scrapes less often than assumed."""
        with running() as (clock, (process,)):
            samples = []
            for _ in range(4):
                clock.advance(4 * INTERVAL)
                process.record("a")
                clock.advance(1)
                samples.append(process.counts()["a"])

        assert [0, 2, 3, 4] == samples

    def test_clock_that_is_set_back_shows_values(self) -> None:
        """After the clock was set back, a series keeps its value and new ones have theirs."""
        with running() as (clock, (process,)):
            process.record("a")
            for _ in range(3):
                process.counts()
                clock.advance(INTERVAL)
            clock.advance(-3600)
            process.record("b")

            assert {"a": 1, "b": 1} == process.counts()

    @pytest.mark.parametrize("shared", [False, True], ids=["one process", "workers"])
    @pytest.mark.parametrize("scrapes", [0, 2], ids=["never scraped", "scraped"])
    def test_series_with_a_start_in_the_future_has_its_value_with_the_second_scrape(
        self, *, shared: bool, scrapes: int
    ) -> None:
        """A series born before the clock was set back is at zero once, and never again."""
        with running(shared=shared) as (clock, (process,)):
            for _ in range(scrapes):
                process.counts()
                clock.advance(INTERVAL)
            process.record("a")
            clock.advance(-120)
            shown = []
            for _ in range(20):
                shown.append(process.counts()["a"])
                clock.advance(INTERVAL)

            assert [0, *[1] * 19] == shown


class TestWorkers:
    def test_deaths_of_workers_do_not_bring_the_zero_back(self) -> None:
        """The deaths of an old and of a new worker leave totals with the oldest start."""
        with running(3, shared=True) as (clock, (first, second, third)):
            first.record("a")
            clock.advance(1)
            second.counts()
            clock.advance(INTERVAL)
            third.record("a")
            before = second.counts()
            first.die()
            third.die()

            assert {"a": 2} == before
            assert before == second.counts()

    def test_new_worker_goes_on_with_known_series(self) -> None:
        """A worker that starts later shows known series with their values."""
        with running(2, shared=True) as (clock, (first, second)):
            first.record("a")
            for _ in range(2):
                first.counts()
                clock.advance(INTERVAL)
            second.record("a")

            assert {"a": 2} == second.counts()

    def test_crashes_of_a_shared_directory_count(self) -> None:
        """Each failure of a process that crashes again and again counts, with a directory."""
        clock, samples = Clock(), list[float]()
        with TemporaryDirectory() as folder, mock.patch("time.time_ns", clock):
            for _ in range(6):
                process = Process(clock, Path(folder) / "numbers")
                process.record("a")
                clock.advance(1)
                samples.append(process.counts()["a"])
                process.die()
                clock.advance(INTERVAL)

        assert 6 == increase(samples)
        assert [0, 2, 3, 4, 5, 6] == samples


class TestMarks:
    def test_marks_outlive_the_file(self, tmp_path: Path) -> None:
        """A worker writes its marks again after the file was removed."""
        path = tmp_path / "scrapes"
        clock = Clock()
        zero_first = ZeroFirst(INTERVAL, store=SharedMarks(path), clock_ns=clock)
        first = zero_first.scrape()
        path.unlink()
        clock.advance(1)

        assert first.marks == zero_first.scrape().marks
        assert first.marks == SharedMarks(path).read()

    @pytest.mark.parametrize("content", [b"", b"short", b"\xff" * 16])
    def test_unreadable_marks_stop_no_scrape(self, tmp_path: Path, content: bytes) -> None:
        """A file that no worker has written stops no scrape."""
        path = tmp_path / "scrapes"
        path.write_bytes(content)
        zero_first = ZeroFirst(INTERVAL, store=SharedMarks(path), clock_ns=Clock())

        assert zero_first.scrape().marks.zeroed_ns > 0

    def test_marks_stay_in_memory_without_directory(self, tmp_path: Path) -> None:
        """Without a directory, the marks stay in memory."""
        store = SharedMarks(tmp_path / "missing" / "scrapes")
        zero_first = ZeroFirst(INTERVAL, store=store, clock_ns=Clock())

        assert zero_first.scrape().marks == store.read()
