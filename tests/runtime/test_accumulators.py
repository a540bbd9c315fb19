from __future__ import annotations

from threading import Thread

import pytest

from otel_meta import Counter, Gauge, Histogram, Instrument, NoLabels, UpDownCounter
from otel_meta.runtime.accumulators import Accumulators
from otel_meta.runtime.faults import Faults
from otel_meta.runtime.own_metrics import FAULTS
from otel_meta.runtime.recorders import (
    CounterRecorder,
    GaugeRecorder,
    HistogramRecorder,
    Recorder,
    UpDownCounterRecorder,
)

COUNTER = Counter("acme.requests", "Requests.", NoLabels)
GAUGE = Gauge("acme.level", "A level.", NoLabels)


class TestRecorder:
    @pytest.mark.parametrize(
        ("instrument", "kind"),
        [
            (COUNTER, CounterRecorder),
            (UpDownCounter("acme.connections", "Connections.", NoLabels), UpDownCounterRecorder),
            (GAUGE, GaugeRecorder),
            (Histogram("acme.size", "A size.", NoLabels, buckets=(1,)), HistogramRecorder),
        ],
        ids=lambda value: getattr(value, "kind", ""),
    )
    def test_kind(self, instrument: Instrument[...], kind: type) -> None:
        """Each kind of instrument has its kind of recorder."""
        assert kind is type(Accumulators(Faults()).recorder(instrument))

    def test_again(self) -> None:
        """Asked for again, it is the same one."""
        accumulators = Accumulators(Faults())

        assert accumulators.recorder(COUNTER) is accumulators.recorder(COUNTER)

    def test_threads(self) -> None:
        """Threads that ask at the same time get the same one."""
        accumulators = Accumulators(Faults())
        found: list[Recorder] = []
        threads = [
            Thread(target=lambda: found.append(accumulators.recorder(COUNTER))) for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert 1 == len(set(found))

    def test_unknown(self) -> None:
        """A kind that there is not cannot be recorded."""
        with pytest.raises(TypeError, match=r"Instrument\('acme\.x'\) is of no kind"):
            Accumulators(Faults()).recorder(Instrument("acme.x", "Something.", NoLabels))


class TestFamilies:
    def test_order(self) -> None:
        """Families come as they were bound, that of the faults last."""
        accumulators = Accumulators(Faults())
        accumulators.recorder(GAUGE)
        accumulators.recorder(COUNTER)

        assert [GAUGE, COUNTER, FAULTS] == [f.instrument for f in accumulators.families()]

    def test_faults(self) -> None:
        """A fault of a family is counted under the name that Prometheus shows."""
        faults = Faults()
        accumulators = Accumulators(faults)
        family = accumulators.family(COUNTER)
        family._on_fault("cardinality", "too many")

        assert [(("acme_requests_total", "cardinality"), 1.0)] == [
            (cell.labels, cell.value) for cell in faults.family.cells()
        ]
