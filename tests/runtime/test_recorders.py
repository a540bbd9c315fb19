from __future__ import annotations

import logging
import math
from decimal import Decimal
from fractions import Fraction
from threading import Thread
from typing import Any, Literal, NamedTuple

import pytest

from otel_meta import Counter, Gauge, Histogram, Instrument, NoLabels, UpDownCounter, labels
from otel_meta.runtime.accumulators import Accumulators
from otel_meta.runtime.faults import Faults
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


class Bench(NamedTuple):
    """An instrument's live half and what it has recorded."""

    accumulators: Accumulators
    instrument: Instrument[...]

    def record(self, value: Any, **labels: Any) -> None:
        """Record in whatever way the instrument has."""
        live: Any = self.accumulators.recorder(self.instrument)
        {
            "counter": lambda: live.add,
            "updowncounter": lambda: live.add,
            "gauge": lambda: live.set,
            "histogram": lambda: live.record,
        }[self.instrument.kind]()(value, **labels)

    def shown(self) -> list[Any]:
        """The numbers that the series have; counts by bucket and the sum for histograms."""
        cells = self.accumulators.family(self.instrument).cells()
        return [c.snapshot() if hasattr(c, "snapshot") else c.value for c in cells]

    def faults(self) -> dict[str, float]:
        """Faults of the instrument, by reason."""
        cells = self.accumulators.faults.family.cells()
        name = self.instrument.prometheus_name
        return {c.labels[1]: c.value for c in cells if c.labels[0] == name}


def bench(instrument: Instrument[...]) -> Bench:
    """An instrument with nothing recorded."""
    return Bench(Accumulators(Faults()), instrument)


ONE = {
    "counter": [1.0],
    "updowncounter": [1.0],
    "gauge": [1.0],
    "histogram": [([1, 0, 0, 0], 1.0)],
}


class TestThreads:
    @pytest.mark.parametrize("instrument", [COUNTER, UP_DOWN, HISTOGRAM], ids=lambda i: i.kind)
    def test_exact(self, instrument: Instrument[...]) -> None:
        """Eight threads that record 100,000 times each lose nothing."""
        accumulators = Accumulators(Faults())
        live: Any = accumulators.recorder(instrument)
        record = live.record if instrument.kind == "histogram" else live.add

        def work() -> None:
            for _ in range(100_000):
                record(1)

        threads = [Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        expected: Any = ([800_000, 0, 0, 0], 800_000.0) if instrument is HISTOGRAM else 800_000.0
        assert [expected] == Bench(accumulators, instrument).shown()

    def test_labels(self) -> None:
        """Threads that record under labels lose nothing either, new series included."""
        accumulators = Accumulators(Faults())
        live: Any = accumulators.recorder(LABELLED[0])

        def work() -> None:
            for number in range(20_000):
                live.add(1, route=str(number % 100), method="POST")

        threads = [Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        cells = accumulators.family(LABELLED[0]).cells()
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
            cell
            for cell in it.accumulators.family(instrument).cells()
            if cell.labels == ("/", "_OTHER")
        ]

        assert 1 == len(other)
        assert {"label value": 1.0} == it.faults()

    @by_name
    def test_no_string(self, instrument: Instrument[...]) -> None:
        """A label value that is no string is recorded as text, and is no fault."""
        it = bench(instrument)
        it.record(1, route=404)

        assert "404" in {c.labels[0] for c in it.accumulators.family(instrument).cells()}
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
            live: Any = captured.telemetry.accumulators.recorder(COUNTER)
            live.add(math.nan)
            text = captured.prometheus_text()

        assert (
            'otel_meta_faults_total{reason="value",service_name="service-under-test",'
            'source="acme_requests_total"} 1.0'
        ) in text.splitlines()
