from __future__ import annotations

import dis
import sys
from collections.abc import Callable, Iterator
from threading import Event, Thread
from typing import Any

import pytest

from otel_meta import Counter, Gauge, Histogram, UpDownCounter, labels
from otel_meta.model import Instrument
from otel_meta.runtime.recording.atomic import ATOMIC, locked
from otel_meta.runtime.recording.cells import Cell, CounterCell, GaugeCell, HistogramCell, SumCell
from otel_meta.runtime.recording.exemplars import SampledSpans
from otel_meta.runtime.recording.family import Family
from otel_meta.runtime.recording.faults import Faults
from otel_meta.runtime.recording.storage import MetricStorage

SWITCHES = ("CALL", "JUMP_BACKWARD", "RESUME", "FOR_ITER", "SEND", "YIELD", "AWAIT")
"""Words in the names of the instructions at which CPython may release the GIL."""
INTRINSICS = ("CALL_INTRINSIC_1", "CALL_INTRINSIC_2")
"""Instructions that call C functions of the interpreter, without a check of the eval breaker."""


CHECKED = ("writable", "by_values", "_overflow", "live")
"""The state that an update checks first."""

CHANGES = ("STORE_SUBSCR", "STORE_SLICE", "STORE_ATTR", "DELETE_SUBSCR")
"""The instructions that change state."""


@labels
class Request:
    route: str
    method: str


INSTRUMENTS: tuple[Instrument[...], ...] = (
    Counter("acme.requests", "Requests.", Request),
    UpDownCounter("acme.connections", "Connections.", Request),
    Gauge("acme.level", "A level.", Request),
    Histogram("acme.size", "A size.", Request, buckets=(1, 10, 100)),
)


def compiled_calls() -> Iterator[Any]:
    """Yield the typed call and the bound call of each kind of instrument."""
    storage = MetricStorage(Faults())
    for instrument in INSTRUMENTS:
        live: Any = storage.recorder(instrument)
        handle = live.with_labels(route="/", method="GET")
        for it in (live, handle):
            yield pytest.param(getattr(it, live.method), id=f"{type(it).__name__}.{live.method}")


def update(method: Callable[..., Any]) -> list[str]:
    """Return the instructions from the first check of the state to the last store."""
    codes = list(dis.get_instructions(method))
    first = next(n for n, code in enumerate(codes) if code.argval in CHECKED)
    last = max(n for n, code in enumerate(codes) if code.opname in CHANGES)
    names = [code.opname for code in codes[first : last + 1]]
    return [name for name in names if name not in INTRINSICS]


class TestAtomic:
    @pytest.mark.skipif(not ATOMIC, reason="this build of Python takes a lock instead")
    @pytest.mark.parametrize(
        "method",
        [
            SumCell.add,
            CounterCell.add,
            GaugeCell.set,
            HistogramCell.record,
            Family._link,
            Family._link_overflow,
            Family._unlink,
            Cell.move,
            SampledSpans.add,
            *compiled_calls(),
        ],
        ids=lambda method: method.__qualname__,
    )
    def test_update_has_no_instruction_at_which_cpython_may_release_gil(
        self, method: Callable[..., Any]
    ) -> None:
        """An update has no instruction at which CPython may release the GIL."""
        codes = update(method)

        assert {"STORE_SUBSCR", "STORE_ATTR"} & set(codes)
        assert [] == [code for code in codes if any(word in code for word in SWITCHES)]

    def test_other_threads_see_whole_updates_under_line_tracer(self) -> None:
        """Under a line tracer in Python, no update is lost and every snapshot is whole."""
        cell = HistogramCell((), (2.0,))
        done = Event()
        torn: list[object] = []

        def trace(*_: object) -> Any:
            sum(range(3))  # threads may switch here
            return trace

        def record() -> None:
            sys.settrace(trace)
            for _ in range(500):
                cell.record(1.0)

        def read() -> None:
            while not done.is_set():
                counts, total = cell.snapshot()
                if sum(counts) != total:
                    torn.append((counts, total))

        threads = [Thread(target=record) for _ in range(4)]
        reader = Thread(target=read)
        interval = sys.getswitchinterval()
        sys.setswitchinterval(1e-6)
        for thread in (reader, *threads):
            thread.start()
        for thread in threads:
            thread.join()
        done.set()
        reader.join()
        sys.setswitchinterval(interval)

        assert ([], ([2000, 0], 2000.0)) == (torn, cell.snapshot())


class TestLocked:
    def test_lock_of_other_interpreters_prevents_race_between_threads(self) -> None:
        """The lock of other interpreters prevents a race between threads."""

        class Sum:
            value = 0

            @locked
            def add(self, amount: int) -> None:
                value = self.value
                sum(range(5))  # threads may switch here
                self.value = value + amount

        total = Sum()

        def work() -> None:
            for _ in range(20_000):
                total.add(1)

        threads = [Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert 80_000 == total.value

    def test_locked_method_may_be_called_from_within_itself(self) -> None:
        """A locked method may be called from within itself, as by a finaliser."""

        class Sum:
            value = 0

            @locked
            def add(self, amount: int) -> None:
                if amount:
                    self.add(amount - 1)
                self.value += 1

        total = Sum()
        total.add(2)

        assert 3 == total.value
