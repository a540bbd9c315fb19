from __future__ import annotations

from collections.abc import MutableSequence

import pytest

from otel_meta import Counter, Gauge, Histogram, labels
from otel_meta.model import Instrument
from otel_meta.runtime.recording.faults import Faults
from otel_meta.runtime.recording.memory import HeapAllocator, zeros
from otel_meta.runtime.recording.storage import MetricStorage


@labels
class Route:
    route: str


COUNTER = Counter("acme.requests", "Requests.", Route)
GAUGE = Gauge("acme.level", "A level.", Route)
HISTOGRAM = Histogram("acme.size", "A size.", Route, buckets=(1, 10))

Key = tuple[str, tuple[str, ...]]


class Recording:
    """Slots that remember what they handed out, up to a limit."""

    def __init__(self, places: int = 1000) -> None:
        self.places = places
        self.taken: dict[Key, MutableSequence[float]] = {}
        self.released: list[Key] = []

    def take(
        self, instrument: Instrument[...], values: tuple[str, ...], width: int
    ) -> MutableSequence[float]:
        """So many doubles, while there is a place."""
        if instrument in (COUNTER, GAUGE, HISTOGRAM):
            if len(self.taken) == self.places:
                raise OSError(28, "No space left on device")
            self.taken[instrument.name, values] = zeros(width)
            return self.taken[instrument.name, values]
        return zeros(width)

    def release(self, instrument: Instrument[...], values: tuple[str, ...]) -> None:
        """Remember what came back."""
        self.released.append((instrument.name, values))


class TestZeros:
    def test_zeros(self) -> None:
        """Numbers begin at zero, as many as were asked for."""
        assert [0.0, 0.0, 0.0] == list(HeapAllocator().take(COUNTER, (), 3))


class TestLayout:
    def test_counter(self) -> None:
        """A counter is its sum."""
        slots = Recording()
        MetricStorage(Faults(), slots).recorder(COUNTER).add(3, route="/")

        assert {("acme.requests", ("/",)): [3.0]} == {k: list(v) for k, v in slots.taken.items()}

    def test_gauge(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A gauge is its value, and when it was set."""
        monkeypatch.setattr("otel_meta.runtime.recording.cells.time.time", lambda: 1e9)
        slots = Recording()
        MetricStorage(Faults(), slots).recorder(GAUGE).set(-3, route="/")

        assert [[-3.0, 1e9]] == [list(numbers) for numbers in slots.taken.values()]

    def test_histogram(self) -> None:
        """A histogram is a count for each bucket, for those above all, and the sum."""
        slots = Recording()
        live = MetricStorage(Faults(), slots).recorder(HISTOGRAM)
        for value in (0.5, 1, 5, 50):
            live.record(value, route="/")

        assert [[2.0, 1.0, 1.0, 56.5]] == [list(numbers) for numbers in slots.taken.values()]

    def test_memory(self) -> None:
        """A slot may be a part of something larger, such as of a mapped file."""

        class Mapped(HeapAllocator):
            memory = bytearray(8 * 100)
            used = 0

            def take(
                self, _instrument: Instrument[...], _values: tuple[str, ...], width: int
            ) -> MutableSequence[float]:
                """The next part."""
                start, self.used = self.used, self.used + width
                return memoryview(self.memory).cast("d")[start : self.used]  # type: ignore[return-value]

        live = MetricStorage(Faults(), Mapped())
        live.recorder(HISTOGRAM).record(5, route="/")
        live.recorder(COUNTER).add(3, route="/")
        doubles = memoryview(Mapped.memory).cast("d")

        assert [0.0, 1.0, 0.0, 5.0, 3.0] == doubles[:5].tolist()


class TestFull:
    def test_private(self) -> None:
        """Where there is no place, a series lives in private memory, and the fault is counted."""
        storage = MetricStorage(Faults(), Recording(places=1))
        live = storage.recorder(COUNTER)
        for route in "abb":
            live.add(1, route=route)

        assert {("a",): 1.0, ("b",): 2.0} == {
            cell.labels: cell.value for cell in storage.family(COUNTER).cells()
        }
        assert {("acme_requests_total", "slot"): 1.0} == {
            cell.labels: cell.value for cell in storage.faults.family.cells()
        }

    def test_faults(self) -> None:
        """Faults are counted where there is no place for them either."""

        class Full(HeapAllocator):
            def take(
                self, instrument: Instrument[...], labels: tuple[str, ...], width: int
            ) -> MutableSequence[float]:
                """Never."""
                raise OSError(28, "No space left on device")

        storage = MetricStorage(Faults(Full()), Full())
        storage.recorder(COUNTER).add(1, route="a")

        assert 1.0 == storage.faults.count()


class TestRelease:
    def test_removed(self) -> None:
        """The slot of a removed series goes back, and is written to no more."""
        slots = Recording()
        live = MetricStorage(Faults(), slots).recorder(COUNTER)
        handle = live.with_labels(route="/")
        handle.add(1)
        old = slots.taken["acme.requests", ("/",)]
        live.remove(route="/")
        handle.add(5)

        assert [("acme.requests", ("/",))] == slots.released
        assert [1.0] == list(old)
        assert [5.0] == list(slots.taken["acme.requests", ("/",)])

    def test_unknown(self) -> None:
        """A series that there was not goes back nowhere."""
        slots = Recording()
        MetricStorage(Faults(), slots).recorder(COUNTER).remove(route="/")

        assert [] == slots.released
