from __future__ import annotations

from threading import Thread

import pytest

from otel_meta import Counter, Gauge, Histogram, Instrument, NoLabels, UpDownCounter, labels
from otel_meta.model.self_metrics import FAULTS, SERIES, SERIES_LIMIT
from otel_meta.runtime.recording.faults import Faults
from otel_meta.runtime.recording.live_instruments import (
    CounterRecorder,
    GaugeRecorder,
    HistogramRecorder,
    UpDownCounterRecorder,
)
from otel_meta.runtime.recording.storage import MetricStorage
from otel_meta.testing import capture

COUNTER = Counter("acme.requests", "Requests.", NoLabels)


@labels
class Style:
    style: str


REQUESTS = Counter("acme.requests", "Requests.", Style)
STYLES = Gauge("acme.styles", "Styles.", Style, max_series=9)
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
    def test_each_kind_of_instrument_has_its_own_recorder(
        self, instrument: Instrument[...], kind: type
    ) -> None:
        """Each kind of instrument has its own recorder."""
        assert kind is type(MetricStorage(Faults()).recorder(instrument))

    def test_second_call_returns_same_recorder(self) -> None:
        """A second call returns the same recorder."""
        storage = MetricStorage(Faults())

        assert storage.recorder(COUNTER) is storage.recorder(COUNTER)

    def test_simultaneous_calls_from_several_threads_return_same_recorder(self) -> None:
        """Simultaneous calls from several threads return the same recorder."""
        storage = MetricStorage(Faults())
        found: list[object] = []
        threads = [Thread(target=lambda: found.append(storage.recorder(COUNTER))) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert 1 == len(set(found))

    def test_instrument_without_kind_has_no_recorder(self) -> None:
        """An instrument without a kind has no recorder."""
        with pytest.raises(TypeError, match=r"Instrument\('acme\.x'\) is of no kind"):
            MetricStorage(Faults()).recorder(Instrument("acme.x", "Something.", NoLabels))


class TestFamilies:
    def test_families_come_in_order_of_binding(self) -> None:
        """Families come in the order of binding, with otel_meta's own families last."""
        storage = MetricStorage(Faults())
        storage.recorder(GAUGE)
        storage.recorder(COUNTER)

        assert [GAUGE, COUNTER, SERIES, SERIES_LIMIT, FAULTS] == [
            f.instrument for f in storage.families()
        ]

    def test_fault_of_family_is_counted_under_metrics_name_in_prometheus(self) -> None:
        """A fault of a family is counted under the metric's name in Prometheus."""
        storage = MetricStorage(Faults(), max_series=1)
        for style in ("a", "b"):
            storage.recorder(REQUESTS).add(1, style=style)

        assert [(("acme_requests_total", "cardinality"), 1.0)] == [
            (cell.labels, cell.value) for cell in storage.faults.family.cells()
        ]


class TestSeries:
    def test_collection_includes_number_and_limit_of_series_of_each_metric(self) -> None:
        """A collection includes the number and the limit of the series of each metric."""
        storage = MetricStorage(Faults(), max_series=5)
        storage.recorder(COUNTER).add(1)
        for style in "ab":
            storage.recorder(STYLES).set(1, style=style)
        shown = {
            (family.instrument, *cell.labels): cell.value
            for family in storage.families()
            if family.instrument in (SERIES, SERIES_LIMIT)
            for cell in family.cells()
        }

        assert {
            (SERIES, "acme_requests_total"): 1.0,
            (SERIES, "acme_styles"): 2.0,
            (SERIES_LIMIT, "acme_requests_total"): 5.0,
            (SERIES_LIMIT, "acme_styles"): 9.0,
        } == shown

    def test_scrape_includes_number_and_limit_of_series(self) -> None:
        """A scrape includes the number and the limit of series."""
        with capture(max_series=5) as captured:
            captured.telemetry.storage.recorder(COUNTER).add(1)
            lines = captured.prometheus_text().splitlines()

        shown = [line for line in lines if 'metric="acme_requests_total"' in line]

        assert ["otel_meta_series", "otel_meta_series_limit"] == [s.split("{")[0] for s in shown]

    def test_limit_of_instrument_precedes_configured_limit(self) -> None:
        """The limit of an instrument precedes the configured limit."""
        storage = MetricStorage(Faults(), max_series=5)
        for number in range(20):
            storage.recorder(STYLES).set(1, style=str(number))
        family = storage.family(STYLES)

        assert (9, 10) == (family.limit, sum(1 for _ in family.cells()))
