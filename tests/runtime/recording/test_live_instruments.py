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
from otel_meta.runtime.recording.memory import HeapAllocator, Placeable, zeros
from otel_meta.runtime.recording.storage import MetricStorage
from otel_meta.testing import capture


@labels
class Request:
    route: str
    method: Literal["GET", "POST"] = "GET"


LABELLED_COUNTER = Counter("acme.requests", "Requests.", Request)
LABELLED_GAUGE = Gauge("acme.level", "A level.", Request)
LABELLED_HISTOGRAM = Histogram("acme.size", "A size.", Request, buckets=(1, 10, 100))
COUNTER = Counter("acme.requests", "Requests.", NoLabels)
UP_DOWN = UpDownCounter("acme.connections", "Connections.", NoLabels)
GAUGE = Gauge("acme.level", "A level.", NoLabels)
HISTOGRAM = Histogram("acme.size", "A size.", NoLabels, buckets=(1, 10, 100))
LABELLED: tuple[Instrument[...], ...] = (
    LABELLED_COUNTER,
    UpDownCounter("acme.connections", "Connections.", Request),
    LABELLED_GAUGE,
    LABELLED_HISTOGRAM,
)
UNLABELLED: tuple[Instrument[...], ...] = (COUNTER, UP_DOWN, GAUGE, HISTOGRAM)
by_name = pytest.mark.parametrize("instrument", LABELLED, ids=lambda i: i.kind)
by_kind = pytest.mark.parametrize("instrument", UNLABELLED, ids=lambda i: i.kind)


class Like:
    """An object with a ``__float__``, as numpy's scalars have."""

    def __init__(self, value: float) -> None:
        self.value = float(value)

    def __float__(self) -> float:
        return self.value


class Hostile:
    """An object that raises when it is converted or printed."""

    def __float__(self) -> float:
        raise RuntimeError("no number")

    def __repr__(self) -> str:
        raise RuntimeError("no text")

    __str__ = __repr__


METHODS = {"counter": "add", "updowncounter": "add", "gauge": "set", "histogram": "record"}


def str_of_type(value: object) -> str:
    """Return the name of the type, as a parameter's id."""
    return type(value).__name__


def in_threads(work: Callable[[], object]) -> None:
    """Run a function in eight threads."""
    threads = [Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


class Bench(NamedTuple):
    """A live instrument with its storage."""

    storage: MetricStorage
    instrument: Instrument[...]

    @property
    def live(self) -> Any:
        """The live instrument."""
        return self.storage.recorder(self.instrument)

    def record(self, value: Any, **labels: Any) -> None:
        """Record a value with the method of the instrument's kind."""
        self.call(value, **labels)

    def call(self, *values: Any, **labels: Any) -> None:
        """Call the method of the instrument's kind with any arguments."""
        getattr(self.live, METHODS[self.instrument.kind])(*values, **labels)

    def handle(self, value: Any, **labels: Any) -> None:
        """Record a value through a new handle."""
        self.record_on(self.live.with_labels(**labels), value)

    def record_on(self, handle: Any, value: Any) -> None:
        """Record a value through a handle."""
        getattr(handle, METHODS[self.instrument.kind])(value)

    def shown(self) -> list[Any]:
        """Return the value of each series; for histograms, the counts and the sum."""
        cells = self.storage.family(self.instrument).cells()
        return [c.snapshot() if hasattr(c, "snapshot") else c.value for c in cells]

    def faults(self) -> dict[str, float]:
        """Return the number of the instrument's faults by reason."""
        cells = self.storage.faults.family.cells()
        name = self.instrument.prometheus_name
        return {c.labels[1]: c.value for c in cells if c.labels[0] == name}


def bench(instrument: Instrument[...]) -> Bench:
    """Return an instrument without recordings."""
    return Bench(MetricStorage(Faults()), instrument)


ONE = {
    "counter": [1.0],
    "updowncounter": [1.0],
    "gauge": [1.0],
    "histogram": [([1, 0, 0, 0], 1.0)],
}


class KeepingAllocator(HeapAllocator):
    """An allocator that keeps the numbers of removed series."""

    zeros = staticmethod(zeros)

    def __init__(self) -> None:
        self.kept: list[MutableSequence[float]] = []

    def place(self, instrument: Instrument[...], series: Placeable) -> None:
        """Keep the numbers of the counter."""
        if instrument is COUNTER:
            self.kept.append(zeros(len(series.numbers)))
            series.move(self.kept[-1])


class TestThreads:
    @pytest.mark.parametrize("instrument", [COUNTER, UP_DOWN, HISTOGRAM], ids=lambda i: i.kind)
    def test_eight_threads_lose_no_recording(self, instrument: Instrument[...]) -> None:
        """Eight threads with 100,000 recordings each lose none."""
        storage = MetricStorage(Faults())
        live: Any = storage.recorder(instrument)
        record = live.record if instrument.kind == "histogram" else live.add

        def work() -> None:
            for _ in range(100_000):
                record(1)

        in_threads(work)

        expected: Any = ([800_000, 0, 0, 0], 800_000.0) if instrument is HISTOGRAM else 800_000.0
        assert [expected] == Bench(storage, instrument).shown()

    def test_threads_that_create_series_lose_no_recording(self) -> None:
        """Threads that record with labels and create series lose no recording."""
        storage = MetricStorage(Faults())
        live: Any = storage.recorder(LABELLED_COUNTER)

        def work() -> None:
            for number in range(20_000):
                live.add(1, route=str(number % 100), method="POST")

        in_threads(work)

        cells = storage.family(LABELLED_COUNTER).cells()
        assert {1600.0} == {cell.value for cell in cells if cell.labels[1] == "POST"}


class TestNumbers:
    @by_kind
    @pytest.mark.parametrize(
        "number", [1, 1.0, True, Decimal(1), Fraction(1), Like(1)], ids=lambda n: type(n).__name__
    )
    def test_number_of_any_type_is_recorded(self, instrument: Instrument[...], number: Any) -> None:
        """A number of any type is recorded."""
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
    def test_value_other_than_finite_number_is_dropped(
        self, instrument: Instrument[...], number: Any
    ) -> None:
        """A value other than a finite number is dropped and counted, without an exception."""
        it = bench(instrument)
        it.record(number)

        assert {"value": 1.0} == it.faults()
        assert all(shown in (0.0, ([0, 0, 0, 0], 0.0)) for shown in it.shown())

    def test_counter_drops_negative_amount(self) -> None:
        """A counter drops a negative amount."""
        it = bench(COUNTER)
        it.record(-0.1)

        assert ([0.0], {"value": 1.0}) == (it.shown(), it.faults())

    def test_counter_accepts_zero(self) -> None:
        """A counter accepts zero."""
        it = bench(COUNTER)
        it.record(0)

        assert {} == it.faults()

    @pytest.mark.parametrize("instrument", [UP_DOWN, GAUGE], ids=lambda i: i.kind)
    def test_up_down_counter_or_gauge_accepts_negative_value(
        self, instrument: Instrument[...]
    ) -> None:
        """An up-down counter or a gauge accepts a negative value."""
        it = bench(instrument)
        it.record(-1.5)

        assert ([-1.5], {}) == (it.shown(), it.faults())

    @by_kind
    def test_number_near_largest_float_is_dropped(self, instrument: Instrument[...]) -> None:
        """A number near the largest float is dropped and counted, because sums would overflow."""
        it = bench(instrument)
        it.record(1e308)
        it.record(1e308)

        assert {"value": 2.0} == it.faults()

    @pytest.mark.parametrize("instrument", [COUNTER, UP_DOWN, HISTOGRAM], ids=lambda i: i.kind)
    def test_sums_of_largest_accepted_numbers_stay_finite(
        self, instrument: Instrument[...]
    ) -> None:
        """Sums of the largest accepted numbers stay finite."""
        it = bench(instrument)
        for _ in range(1000):
            it.record(1e289)
        (shown,) = it.shown()

        assert {} == it.faults()
        assert math.isfinite(shown[1] if instrument is HISTOGRAM else shown)

    def test_gauge_keeps_its_latest_valid_value(self) -> None:
        """A gauge keeps its latest valid value."""
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
    def test_recording_with_missing_or_misspelt_label_is_dropped(
        self, instrument: Instrument[...], labels: dict[str, Any]
    ) -> None:
        """A recording with a missing or misspelt label is dropped and counted."""
        it = bench(instrument)
        it.record(1, **labels)

        assert ([], {"labels": 1.0}) == (it.shown(), it.faults())

    @by_name
    def test_recording_is_dropped_and_counted_if_label_value_has(
        self, instrument: Instrument[...]
    ) -> None:
        """A recording is dropped and counted if a label value has no text."""
        it = bench(instrument)
        it.record(1, route=Hostile())

        assert ([], 1.0) == (it.shown(), sum(it.faults().values()))

    @by_name
    def test_label_value_outside_its_closed_set_is_recorded_as_other(
        self, instrument: Instrument[...]
    ) -> None:
        """A label value outside its closed set is recorded as _OTHER and counted."""
        it = bench(instrument)
        it.record(1, route="/", method="EVIL")
        other = [
            cell for cell in it.storage.family(instrument).cells() if cell.labels == ("/", "_OTHER")
        ]

        assert 1 == len(other)
        assert {"label value": 1.0} == it.faults()

    @by_name
    def test_label_value_of_another_type_is_recorded_as_text(
        self, instrument: Instrument[...]
    ) -> None:
        """A label value of another type is recorded as text without a fault."""
        it = bench(instrument)
        it.record(1, route=404)

        assert "404" in {c.labels[0] for c in it.storage.family(instrument).cells()}
        assert {} == it.faults()


class TestCalls:
    """Calls that a type checker refuses, and that still do not raise."""

    @by_name
    def test_call_without_value_is_dropped_and_counted(self, instrument: Instrument[...]) -> None:
        """A call without a value is dropped and counted."""
        it = bench(instrument)
        it.call(route="/")

        assert ([], {"value": 1.0}) == (it.shown(), it.faults())

    @by_name
    def test_call_with_positional_labels_is_dropped_and_counted(
        self, instrument: Instrument[...]
    ) -> None:
        """A call with positional labels is dropped and counted."""
        it = bench(instrument)
        it.call(1, "/")

        assert ([], {"labels": 1.0}) == (it.shown(), it.faults())

    @by_name
    def test_invalid_call_for_existing_series_is_dropped_and_counted(
        self, instrument: Instrument[...]
    ) -> None:
        """An invalid call for an existing series is dropped and counted."""
        it = bench(instrument)
        it.call(1, route="/")
        before = it.shown()
        it.call(1, "/", route="/")
        it.call(1, route="/", ruote="/")
        it.call(route="/")

        assert (before, {"labels": 2.0, "value": 1.0}) == (it.shown(), it.faults())

    def test_labels_may_be_named_like_parameters_of_function(self) -> None:
        """Labels may be named like the parameters of a function."""

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

    @pytest.mark.parametrize(
        ("instrument", "name", "methods"),
        [
            (COUNTER, "inc", "add(), with_labels(), remove()"),
            (COUNTER, "record", "add(), with_labels(), remove()"),
            (UP_DOWN, "dec", "add(), with_labels(), remove()"),
            (GAUGE, "add", "set(), with_labels(), remove()"),
            (HISTOGRAM, "observe", "record(), time(), with_labels(), remove()"),
            (HISTOGRAM, "labels", "record(), time(), with_labels(), remove()"),
        ],
    )
    def test_method_of_another_kind_or_library_is_answered_with_methods(
        self, instrument: Instrument[...], name: str, methods: str
    ) -> None:
        """A method of another kind or library is answered with the methods of the instrument."""
        with capture() as captured:
            live: Any = captured.telemetry.storage.recorder(instrument)
            for each in (live, live.with_labels()):
                with pytest.raises(AttributeError) as caught:
                    getattr(each, name)

                assert str(caught.value).endswith(f" has no {name}(); its methods are {methods}")
                assert not hasattr(each, name)

    def test_function_is_named_in_tracebacks(self) -> None:
        """The function has a telling name and file name in tracebacks and profiles."""
        add: Any = MetricStorage(Faults()).recorder(LABELLED_COUNTER).add

        assert ("add", "<otel_meta add(route, method)>") == (
            add.__name__,
            add.__code__.co_filename,
        )


class TestHandle:
    @by_name
    def test_handle_and_call_with_same_labels_record_into_same_series(
        self, instrument: Instrument[...]
    ) -> None:
        """A handle and a call with the same labels record into the same series."""
        by_call, by_handle = bench(instrument), bench(instrument)
        for value in (1, 5):
            by_call.call(value, route="/")
            by_handle.handle(value, route="/")

        assert by_call.shown() == by_handle.shown()

    @by_kind
    def test_handle_of_instrument_without_labels_is_its_own_handle(
        self, instrument: Instrument[...]
    ) -> None:
        """A handle of an instrument without labels is its own handle."""
        handle = bench(instrument).live.with_labels()

        assert handle is handle.with_labels()

    def test_handle_of_counter_or_histogram_creates_series_at_once(self) -> None:
        """A handle of a counter or histogram creates the series at once."""
        for instrument in (LABELLED_COUNTER, LABELLED_HISTOGRAM):
            it = bench(instrument)
            it.live.with_labels(route="/", method="POST")
            cells = it.storage.family(instrument).cells()

            assert ("/", "POST") in [cell.labels for cell in cells]

    @by_name
    @pytest.mark.parametrize("value", [math.nan, "1", None, 10**400, Hostile()], ids=str_of_type)
    def test_handle_drops_and_counts_invalid_value(
        self, instrument: Instrument[...], value: Any
    ) -> None:
        """A handle drops and counts an invalid value."""
        it = bench(instrument)
        it.handle(value, route="/")

        assert {"value": 1.0} == it.faults()

    @by_kind
    @pytest.mark.parametrize("number", [Decimal(1), Fraction(1), Like(1), True], ids=str_of_type)
    def test_handle_records_number_of_any_type(
        self, instrument: Instrument[...], number: Any
    ) -> None:
        """A handle records a number of any type."""
        it = bench(instrument)
        it.handle(number)

        assert (ONE[instrument.kind], {}) == (it.shown(), it.faults())

    @by_name
    def test_handle_with_unknown_labels_records_nothing(self, instrument: Instrument[...]) -> None:
        """A handle with unknown labels records nothing and counts each attempt."""
        it = bench(instrument)
        handle = it.live.with_labels(ruote="/")
        it.record_on(handle, 1)

        assert ([], {"labels": 2.0}) == (it.shown(), it.faults())

    def test_handle_above_limit_records_into_overflow_series(self) -> None:
        """A handle above the limit records into the overflow series."""
        storage = MetricStorage(Faults(), max_series=2)
        for route in "abc":
            storage.recorder(LABELLED_HISTOGRAM).with_labels(route=route).record(1)
        cells = storage.family(LABELLED_HISTOGRAM).cells()

        assert [("a", "GET"), ("b", "GET"), OVERFLOW] == [cell.labels for cell in cells]

    def test_threads_that_share_handle_lose_no_recording(self) -> None:
        """Threads that share a handle lose no recording."""
        it = bench(COUNTER)
        handle = it.live.with_labels()

        def work() -> None:
            for _ in range(50_000):
                handle.add(1)

        in_threads(work)

        assert [400_000.0] == it.shown()


class TestRemove:
    @by_name
    def test_removed_series_disappears_and_other_series_stay(
        self, instrument: Instrument[...]
    ) -> None:
        """A removed series disappears, and other series stay."""
        it = bench(instrument)
        for route in "ab":
            it.call(1, route=route)
        it.live.remove(route="a")
        cells = it.storage.family(instrument).cells()

        assert ("a", "GET") not in {cell.labels for cell in cells}
        assert ("b", "GET") in {c.labels for c in it.storage.family(instrument).cells()}

    @by_kind
    def test_recording_into_removed_series_starts_new_series_at_zero(
        self, instrument: Instrument[...]
    ) -> None:
        """A recording into a removed series starts a new series at zero."""
        it = bench(instrument)
        it.call(1)
        (old,) = it.storage.family(instrument).cells()
        it.live.remove()
        it.call(1)
        (new,) = it.storage.family(instrument).cells()

        assert ONE[instrument.kind] == it.shown()
        assert old.start_ns < new.start_ns

    @by_kind
    def test_recording_through_older_handle_starts_new_series_at_zero(
        self, instrument: Instrument[...]
    ) -> None:
        """A recording through an older handle starts a new series at zero."""
        it = bench(instrument)
        handle = it.live.with_labels()
        it.record_on(handle, 1)
        handle.remove()
        it.record_on(handle, 1)

        assert (ONE[instrument.kind], {}) == (it.shown(), it.faults())

    @by_name
    def test_removal_of_unknown_series_does_nothing(self, instrument: Instrument[...]) -> None:
        """Removal of an unknown series does nothing."""
        it = bench(instrument)
        it.live.remove(route="/")

        assert ([], {}) == (it.shown(), it.faults())

    @by_name
    def test_removal_with_unknown_label_is_fault(self, instrument: Instrument[...]) -> None:
        """Removal with an unknown label is a fault."""
        it = bench(instrument)
        it.live.remove(ruote="/")

        assert {"labels": 1.0} == it.faults()

    def test_reader_of_removed_series_sees_its_last_value(self) -> None:
        """A reader of a removed series sees its last value."""
        it = bench(COUNTER)
        it.call(5)
        (cell,) = it.storage.family(COUNTER).cells()
        it.live.remove()

        assert 5.0 == cell.value

    @by_kind
    def test_series_removed_between_lookup_and_recording_starts_at_zero(
        self, instrument: Instrument[...], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A series that is removed between lookup and recording starts again at zero."""
        it = bench(instrument)
        family = it.storage.family(instrument)
        series, times = family.series, []

        def find_and_remove(values: tuple[str, ...]) -> Any:
            cell = series(values)
            times.append(1)
            if len(times) < 5:
                family.remove({})
            return cell

        monkeypatch.setattr(family, "series", find_and_remove)
        it.call(1)

        assert (ONE[instrument.kind], {}) == (it.shown(), it.faults())

    def test_recording_is_dropped_if_each_attempt_finds_removed_series(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A recording is dropped and counted if each attempt finds a removed series."""
        it = bench(COUNTER)
        family = it.storage.family(COUNTER)
        series = family.series

        def find_and_remove(values: tuple[str, ...]) -> Any:
            cell = series(values)
            family.remove({})
            return cell

        monkeypatch.setattr(family, "series", find_and_remove)
        it.call(1)

        assert {"value": 1.0} == it.faults()

    def test_removed_series_makes_new_one_possible_under_limit(self) -> None:
        """A removed series makes a new one possible under the limit."""
        storage = MetricStorage(Faults(), max_series=1)
        live = storage.recorder(LABELLED_GAUGE)
        for route in "abc":
            live.set(1, route=route)
            live.remove(route=route)

        assert ([], 0.0) == (
            list(storage.family(LABELLED_GAUGE).cells()),
            storage.faults.count(),
        )

    def test_each_recording_counts_once_while_another_thread_removes_series(self) -> None:
        """Each recording counts once while another thread removes the series."""
        allocator = KeepingAllocator()
        it = Bench(MetricStorage(Faults(), allocator), COUNTER)
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

        assert 80_000.0 == sum(numbers[0] for numbers in allocator.kept)
        assert {} == it.faults()


class TestFault:
    def test_many_faults_of_one_kind_write_one_log_line(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Many faults of one kind write one log line."""
        it = bench(COUNTER)
        with caplog.at_level(logging.WARNING, "otel_meta"):
            for _ in range(100):
                it.record(math.nan)

        (line,) = caplog.messages
        assert line.startswith("acme_requests_total: nan is not finite")
        assert {"value": 100.0} == it.faults()

    def test_each_kind_of_fault_writes_its_own_log_line(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Each kind of fault writes its own log line."""
        it = bench(LABELLED_COUNTER)
        with caplog.at_level(logging.WARNING, "otel_meta"):
            it.record("1", route="/")
            it.record(1)
            it.record(1, route="/", method="EVIL")

        assert 3 == len(caplog.messages)

    def test_scrape_shows_dropped_recordings_by_metric_and_reason(self) -> None:
        """A scrape shows the dropped recordings by metric and reason."""
        with capture() as captured:
            live: Any = captured.telemetry.storage.recorder(COUNTER)
            live.add(math.nan)
            text = captured.prometheus_text()

        assert (
            'otel_meta_faults_total{reason="value",service_name="service-under-test",'
            'source="acme_requests_total"} 1.0'
        ) in text.splitlines()
