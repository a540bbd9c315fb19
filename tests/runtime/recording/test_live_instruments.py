from __future__ import annotations

import logging
import math
from collections.abc import Callable, MutableSequence
from decimal import Decimal
from fractions import Fraction
from threading import Event, Thread
from typing import Any, Literal, NamedTuple

import pytest

from otel_meta import Counter, Gauge, Histogram, NoLabels, UpDownCounter, labels
from otel_meta.model import Instrument
from otel_meta.runtime.recording.family import OVERFLOW
from otel_meta.runtime.recording.faults import Faults
from otel_meta.runtime.recording.memory import HeapAllocator
from otel_meta.runtime.recording.storage import MetricStorage
from otel_meta.testing import capture


@labels
class Request:
    route: str
    method: Literal["GET", "POST"] = "GET"


COUNTER = Counter("acme.requests", "Requests.", NoLabels)
UP_DOWN = UpDownCounter("acme.connections", "Connections.", NoLabels)
GAUGE = Gauge("acme.level", "A level.", NoLabels)
HISTOGRAM = Histogram("acme.size", "A size.", NoLabels, buckets=(1, 10, 100))
LABELLED: tuple[Instrument[...], ...] = (
    Counter("acme.requests", "Requests.", Request),
    UpDownCounter("acme.connections", "Connections.", Request),
    Gauge("acme.level", "A level.", Request),
    Histogram("acme.size", "A size.", Request, buckets=(1, 10, 100)),
)
UNLABELLED: tuple[Instrument[...], ...] = (COUNTER, UP_DOWN, GAUGE, HISTOGRAM)
by_name = pytest.mark.parametrize("instrument", LABELLED, ids=lambda i: i.kind)
by_kind = pytest.mark.parametrize("instrument", UNLABELLED, ids=lambda i: i.kind)


class Like:
    """Something that counts as a number, as numpy's scalars do."""

    def __init__(self, value: float) -> None:
        self.value = float(value)

    def __float__(self) -> float:
        return self.value


class Hostile:
    """Something that raises whatever it is asked."""

    def __float__(self) -> float:
        raise RuntimeError("no number")

    def __repr__(self) -> str:
        raise RuntimeError("no text")

    __str__ = __repr__


METHODS = {"counter": "add", "updowncounter": "add", "gauge": "set", "histogram": "record"}


def str_of_type(value: object) -> str:
    """An id for a parameter."""
    return type(value).__name__


def in_threads(work: Callable[[], object]) -> None:
    """Do something in eight threads."""
    threads = [Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


class Bench(NamedTuple):
    """An instrument's live half and what it has recorded."""

    storage: MetricStorage
    instrument: Instrument[...]

    @property
    def live(self) -> Any:
        """What a service calls."""
        return self.storage.recorder(self.instrument)

    def record(self, value: Any, **labels: Any) -> None:
        """Record in whatever way the instrument has."""
        self.call(value, **labels)

    def call(self, *values: Any, **labels: Any) -> None:
        """Call it so, though it may be wrong."""
        getattr(self.live, METHODS[self.instrument.kind])(*values, **labels)

    def handle(self, value: Any, **labels: Any) -> None:
        """Record by a handle."""
        self.record_on(self.live.with_labels(**labels), value)

    def record_on(self, handle: Any, value: Any) -> None:
        """Record by this handle."""
        getattr(handle, METHODS[self.instrument.kind])(value)

    def shown(self) -> list[Any]:
        """The numbers that the series have; counts by bucket and the sum for histograms."""
        cells = self.storage.family(self.instrument).cells()
        return [c.snapshot() if hasattr(c, "snapshot") else c.value for c in cells]

    def faults(self) -> dict[str, float]:
        """Faults of the instrument, by reason."""
        cells = self.storage.faults.family.cells()
        name = self.instrument.prometheus_name
        return {c.labels[1]: c.value for c in cells if c.labels[0] == name}


def bench(instrument: Instrument[...]) -> Bench:
    """An instrument with nothing recorded."""
    return Bench(MetricStorage(Faults()), instrument)


ONE = {
    "counter": [1.0],
    "updowncounter": [1.0],
    "gauge": [1.0],
    "histogram": [([1, 0, 0, 0], 1.0)],
}


class Kept(HeapAllocator):
    """Slots that keep the numbers of series that are gone."""

    def __init__(self) -> None:
        self.kept: list[MutableSequence[float]] = []

    def take(
        self, instrument: Instrument[...], labels: tuple[str, ...], width: int
    ) -> MutableSequence[float]:
        """Numbers that are kept."""
        numbers = super().take(instrument, labels, width)
        if instrument is COUNTER:
            self.kept.append(numbers)
        return numbers


class TestThreads:
    @pytest.mark.parametrize("instrument", [COUNTER, UP_DOWN, HISTOGRAM], ids=lambda i: i.kind)
    def test_exact(self, instrument: Instrument[...]) -> None:
        """Eight threads that record 100,000 times each lose nothing."""
        storage = MetricStorage(Faults())
        live: Any = storage.recorder(instrument)
        record = live.record if instrument.kind == "histogram" else live.add

        def work() -> None:
            for _ in range(100_000):
                record(1)

        in_threads(work)

        expected: Any = ([800_000, 0, 0, 0], 800_000.0) if instrument is HISTOGRAM else 800_000.0
        assert [expected] == Bench(storage, instrument).shown()

    def test_labels(self) -> None:
        """Threads that record under labels lose nothing either, new series included."""
        storage = MetricStorage(Faults())
        live: Any = storage.recorder(LABELLED[0])

        def work() -> None:
            for number in range(20_000):
                live.add(1, route=str(number % 100), method="POST")

        in_threads(work)

        cells = storage.family(LABELLED[0]).cells()
        assert {1600.0} == {cell.value for cell in cells if cell.labels[1] == "POST"}


class TestNumbers:
    @by_kind
    @pytest.mark.parametrize(
        "number", [1, 1.0, True, Decimal(1), Fraction(1), Like(1)], ids=lambda n: type(n).__name__
    )
    def test_taken(self, instrument: Instrument[...], number: Any) -> None:
        """Whatever counts as a number is recorded as that number."""
        it = bench(instrument)
        it.record(number)

        assert ONE[instrument.kind] == it.shown()
        assert {} == it.faults()

    @by_kind
    @pytest.mark.parametrize(
        "number",
        [
            math.nan,
            math.inf,
            -math.inf,
            Decimal("NaN"),
            Like(math.inf),
            "1",
            b"1",
            None,
            1j,
            [1],
            object(),
            Hostile(),
            10**400,
            -(10**400),
        ],
        ids=lambda n: type(n).__name__,
    )
    def test_dropped(self, instrument: Instrument[...], number: Any) -> None:
        """What is no finite number is dropped without a trace and counted, and nothing raises."""
        it = bench(instrument)
        it.record(number)

        assert {"value": 1.0} == it.faults()
        assert all(shown in (0.0, ([0, 0, 0, 0], 0.0)) for shown in it.shown())

    def test_negative(self) -> None:
        """A counter takes nothing below zero."""
        it = bench(COUNTER)
        it.record(-0.1)

        assert ([0.0], {"value": 1.0}) == (it.shown(), it.faults())

    def test_zero(self) -> None:
        """A counter takes zero."""
        it = bench(COUNTER)
        it.record(0)

        assert {} == it.faults()

    @pytest.mark.parametrize("instrument", [UP_DOWN, GAUGE], ids=lambda i: i.kind)
    def test_below_zero(self, instrument: Instrument[...]) -> None:
        """What may go down may go below zero."""
        it = bench(instrument)
        it.record(-1.5)

        assert ([-1.5], {}) == (it.shown(), it.faults())

    @by_kind
    def test_too_large(self, instrument: Instrument[...]) -> None:
        """A number so large that sums of such overflow is dropped and counted."""
        it = bench(instrument)
        it.record(1e308)
        it.record(1e308)

        assert {"value": 2.0} == it.faults()

    @pytest.mark.parametrize("instrument", [COUNTER, UP_DOWN, HISTOGRAM], ids=lambda i: i.kind)
    def test_sum(self, instrument: Instrument[...]) -> None:
        """Sums of the largest numbers that are taken stay finite."""
        it = bench(instrument)
        for _ in range(1000):
            it.record(1e289)
        (shown,) = it.shown()

        assert {} == it.faults()
        assert math.isfinite(shown[1] if instrument is HISTOGRAM else shown)

    def test_latest(self) -> None:
        """A gauge keeps the latest value, and a bad one does not replace it."""
        it = bench(GAUGE)
        it.record(1)
        it.record(2)
        it.record(math.nan)

        assert [2] == it.shown()


class TestLabels:
    @by_name
    @pytest.mark.parametrize(
        "labels",
        [
            {},
            {"ruote": "/"},
            {"route": None},
            {"route": "/", "ruote": "/"},
            {"route": "/", "method": None},
        ],
        ids=str,
    )
    def test_dropped(self, instrument: Instrument[...], labels: dict[str, Any]) -> None:
        """Labels that are missing or misspelt drop the measurement and count it."""
        it = bench(instrument)
        it.record(1, **labels)

        assert ([], {"labels": 1.0}) == (it.shown(), it.faults())

    @by_name
    def test_hostile(self, instrument: Instrument[...]) -> None:
        """A label value that cannot even be written drops the measurement and counts it."""
        it = bench(instrument)
        it.record(1, route=Hostile())

        assert ([], 1.0) == (it.shown(), sum(it.faults().values()))

    @by_name
    def test_outside(self, instrument: Instrument[...]) -> None:
        """A value outside its closed set is recorded as _OTHER and counted."""
        it = bench(instrument)
        it.record(1, route="/", method="EVIL")
        other = [
            cell for cell in it.storage.family(instrument).cells() if cell.labels == ("/", "_OTHER")
        ]

        assert 1 == len(other)
        assert {"label value": 1.0} == it.faults()

    @by_name
    def test_no_string(self, instrument: Instrument[...]) -> None:
        """A label value that is no string is recorded as text, and is no fault."""
        it = bench(instrument)
        it.record(1, route=404)

        assert "404" in {c.labels[0] for c in it.storage.family(instrument).cells()}
        assert {} == it.faults()


class TestCalls:
    """What no type checker lets pass, and no application has to pay for."""

    @by_name
    def test_value_missing(self, instrument: Instrument[...]) -> None:
        """A call without a value is dropped and counted."""
        it = bench(instrument)
        it.call(route="/")

        assert ([], {"value": 1.0}) == (it.shown(), it.faults())

    @by_name
    def test_labels_by_position(self, instrument: Instrument[...]) -> None:
        """Labels without their names are dropped and counted."""
        it = bench(instrument)
        it.call(1, "/")

        assert ([], {"labels": 1.0}) == (it.shown(), it.faults())

    @by_name
    def test_known_series(self, instrument: Instrument[...]) -> None:
        """So are they where the series exists."""
        it = bench(instrument)
        it.call(1, route="/")
        before = it.shown()
        it.call(1, "/", route="/")
        it.call(1, route="/", ruote="/")
        it.call(route="/")

        assert (before, {"labels": 2.0, "value": 1.0}) == (it.shown(), it.faults())

    def test_names(self) -> None:
        """Labels may have the names that a function's own parameters would have."""

        @labels
        class Odd:
            value: str
            amount: str
            self: Literal["a", "b"] = "a"

        odd = Counter("acme.odd", "Odd.", Odd)
        it = bench(odd)
        it.call(1, value="v", amount="a")

        it.live.with_labels(value="v", amount="b", self="b").add(1)
        it.live.remove(value="v", amount="b", self="a")

        assert [("v", "a", "a"), ("v", "a", "b"), ("v", "b", "b")] == sorted(
            c.labels for c in it.storage.family(odd).cells()
        )
        assert {} == it.faults()

    def test_traceback(self) -> None:
        """The function says in tracebacks and profiles whose it is."""
        add = MetricStorage(Faults()).recorder(LABELLED[0]).add

        assert ("add", "<otel_meta add(route, method)>") == (
            add.__name__,
            add.__code__.co_filename,
        )


class TestBind:
    @by_name
    def test_same(self, instrument: Instrument[...]) -> None:
        """A handle and a call with its labels record into the same series."""
        by_call, by_handle = bench(instrument), bench(instrument)
        for value in (1, 5):
            by_call.call(value, route="/")
            by_handle.handle(value, route="/")

        assert by_call.shown() == by_handle.shown()

    @by_kind
    def test_without_labels(self, instrument: Instrument[...]) -> None:
        """An instrument without labels has a handle, too, whose handle is itself."""
        handle = bench(instrument).live.with_labels()

        assert handle is handle.with_labels()

    def test_at_once(self) -> None:
        """A counter or histogram is shown from the moment at which it is bound."""
        for instrument in (LABELLED[0], LABELLED[3]):
            it = bench(instrument)
            it.live.with_labels(route="/", method="POST")
            cells = it.storage.family(instrument).cells()

            assert ("/", "POST") in [cell.labels for cell in cells]

    @by_name
    @pytest.mark.parametrize("value", [math.nan, "1", None, 10**400, Hostile()], ids=str_of_type)
    def test_bad_value(self, instrument: Instrument[...], value: Any) -> None:
        """What a call drops and counts, a handle drops and counts."""
        it = bench(instrument)
        it.handle(value, route="/")

        assert {"value": 1.0} == it.faults()

    @by_kind
    @pytest.mark.parametrize("number", [Decimal(1), Fraction(1), Like(1), True], ids=str_of_type)
    def test_number(self, instrument: Instrument[...], number: Any) -> None:
        """What a call takes as a number, a handle takes."""
        it = bench(instrument)
        it.handle(number)

        assert (ONE[instrument.kind], {}) == (it.shown(), it.faults())

    @by_name
    def test_bad_labels(self, instrument: Instrument[...]) -> None:
        """A handle on labels that there are not records nothing and counts each attempt."""
        it = bench(instrument)
        handle = it.live.with_labels(ruote="/")
        it.record_on(handle, 1)

        assert ([], {"labels": 2.0}) == (it.shown(), it.faults())

    def test_overflow(self) -> None:
        """A handle over the limit records into the series that all such share."""
        storage = MetricStorage(Faults(), max_series=2)
        for route in "abc":
            storage.recorder(LABELLED[3]).with_labels(route=route).record(1)
        cells = storage.family(LABELLED[3]).cells()

        assert [("a", "GET"), ("b", "GET"), OVERFLOW] == [cell.labels for cell in cells]

    def test_threads(self) -> None:
        """Threads that share a handle lose nothing."""
        it = bench(COUNTER)
        handle = it.live.with_labels()

        def work() -> None:
            for _ in range(50_000):
                handle.add(1)

        in_threads(work)

        assert [400_000.0] == it.shown()


class TestRemove:
    @by_name
    def test_gone(self, instrument: Instrument[...]) -> None:
        """A removed series is shown no more; the others are."""
        it = bench(instrument)
        for route in "ab":
            it.call(1, route=route)
        it.live.remove(route="a")
        cells = it.storage.family(instrument).cells()

        assert ("a", "GET") not in {cell.labels for cell in cells}
        assert ("b", "GET") in {c.labels for c in it.storage.family(instrument).cells()}

    @by_kind
    def test_anew(self, instrument: Instrument[...]) -> None:
        """Recorded into again, a removed series begins anew, from zero."""
        it = bench(instrument)
        it.call(1)
        (old,) = it.storage.family(instrument).cells()
        it.live.remove()
        it.call(1)
        (new,) = it.storage.family(instrument).cells()

        assert ONE[instrument.kind] == it.shown()
        assert old.start_ns < new.start_ns

    @by_kind
    def test_handle(self, instrument: Instrument[...]) -> None:
        """So it does by a handle that was made before; nothing is lost."""
        it = bench(instrument)
        handle = it.live.with_labels()
        it.record_on(handle, 1)
        handle.remove()
        it.record_on(handle, 1)

        assert (ONE[instrument.kind], {}) == (it.shown(), it.faults())

    @by_name
    def test_unknown(self, instrument: Instrument[...]) -> None:
        """To remove what there is not does nothing."""
        it = bench(instrument)
        it.live.remove(route="/")

        assert ([], {}) == (it.shown(), it.faults())

    @by_name
    def test_bad_labels(self, instrument: Instrument[...]) -> None:
        """Labels that there are not are counted."""
        it = bench(instrument)
        it.live.remove(ruote="/")

        assert {"labels": 1.0} == it.faults()

    def test_reader(self) -> None:
        """Whoever reads a series while it is removed sees its last value."""
        it = bench(COUNTER)
        it.call(5)
        (cell,) = it.storage.family(COUNTER).cells()
        it.live.remove()

        assert 5.0 == cell.value

    @by_kind
    def test_meanwhile(self, instrument: Instrument[...], monkeypatch: pytest.MonkeyPatch) -> None:
        """A series that is removed between being found and recorded into begins anew."""
        it = bench(instrument)
        family = it.storage.family(instrument)
        find, times = family.find, []

        def find_and_remove(labels: dict[str, str]) -> Any:
            cell = find(labels)
            times.append(1)
            if len(times) < 5:
                family.remove(labels)
            return cell

        monkeypatch.setattr(family, "find", find_and_remove)
        it.call(1)

        assert (ONE[instrument.kind], {}) == (it.shown(), it.faults())

    def test_always(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """One that is removed each time is given up, and counted."""
        it = bench(COUNTER)
        family = it.storage.family(COUNTER)
        find = family.find

        def find_and_remove(labels: dict[str, str]) -> Any:
            cell = find(labels)
            family.remove(labels)
            return cell

        monkeypatch.setattr(family, "find", find_and_remove)
        it.call(1)

        assert {"value": 1.0} == it.faults()

    def test_place(self) -> None:
        """A removed series makes room for another."""
        storage = MetricStorage(Faults(), max_series=1)
        live = storage.recorder(LABELLED[2])
        for route in "abc":
            live.set(1, route=route)
            live.remove(route=route)

        assert ([], 0.0) == (
            list(storage.family(LABELLED[2]).cells()),
            storage.faults.count(),
        )

    def test_threads(self) -> None:
        """While series come and go, recording goes on, and counts each value in one of them."""
        slots = Kept()
        it = Bench(MetricStorage(Faults(), slots), COUNTER)
        handle = it.live.with_labels()
        done = Event()

        def remove() -> None:
            while not done.is_set():
                it.live.remove()

        remover = Thread(target=remove)
        remover.start()
        in_threads(lambda: [handle.add(1) for _ in range(5_000)])
        in_threads(lambda: [it.call(1) for _ in range(5_000)])
        done.set()
        remover.join()

        assert 80_000.0 == sum(numbers[0] for numbers in slots.kept)
        assert {} == it.faults()


class TestFault:
    def test_logged_once(self, caplog: pytest.LogCaptureFixture) -> None:
        """However many measurements are dropped for a reason, one line says so."""
        it = bench(COUNTER)
        with caplog.at_level(logging.WARNING, "otel_meta"):
            for _ in range(100):
                it.record(math.nan)

        (line,) = caplog.messages
        assert line.startswith("acme_requests_total: nan is not a finite amount of at least 0")
        assert {"value": 100.0} == it.faults()

    def test_logged_by_reason(self, caplog: pytest.LogCaptureFixture) -> None:
        """Each reason has its line."""
        it = bench(LABELLED[0])
        with caplog.at_level(logging.WARNING, "otel_meta"):
            it.record("1", route="/")
            it.record(1)
            it.record(1, route="/", method="EVIL")

        assert 3 == len(caplog.messages)

    def test_scraped(self) -> None:
        """A scrape shows what was dropped, by metric and reason."""
        with capture() as captured:
            live: Any = captured.telemetry.storage.recorder(COUNTER)
            live.add(math.nan)
            text = captured.prometheus_text()

        assert (
            'otel_meta_faults_total{reason="value",service_name="service-under-test",'
            'source="acme_requests_total"} 1.0'
        ) in text.splitlines()
