from __future__ import annotations

import math
from decimal import Decimal
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_meta import Counter, Gauge, Histogram, UpDownCounter, labels
from otel_meta.model import Instrument
from otel_meta.runtime.recording.family import Family
from otel_meta.runtime.recording.faults import Faults
from otel_meta.runtime.recording.instrument_kinds import INSTRUMENT_KINDS
from otel_meta.runtime.recording.recording_calls import IN_PYTHON, THROUGH_CELLS, CallMaker
from otel_meta.runtime.recording.storage import MetricStorage
from otel_meta.runtime.recording.validation import MAX_MAGNITUDE


@labels
class Request:
    route: str
    type: Literal["page", "int"] = "page"


INSTRUMENTS: tuple[Instrument[...], ...] = (
    Counter("acme.requests", "Requests.", Request),
    UpDownCounter("acme.connections", "Connections.", Request),
    Gauge("acme.level", "A level.", Request),
    Histogram("acme.size", "A size.", Request, buckets=(1, 10, 100)),
)
KIND_IDS = [instrument.kind for instrument in INSTRUMENTS]

MOST = int(MAX_MAGNITUDE)
EDGES = (MOST, MOST - 1, MAX_MAGNITUDE, math.nextafter(MAX_MAGNITUDE, 0), math.inf)
VALUES = st.one_of(
    st.integers(-2, 2),
    st.floats(-1e3, 1e3),
    st.sampled_from([*EDGES, *(-edge for edge in EDGES), math.nan, -0.0]),
    st.booleans(),
    st.decimals(),
    st.none(),
    st.text(max_size=2),
)


def recorded(instrument: Instrument[...], maker: CallMaker, values: list[Any]) -> list[Any]:
    """Return the series and the faults after typed and bound calls of a maker with each value."""

    class Made(Family[Any]):
        calls = maker

    kind, faults = INSTRUMENT_KINDS[instrument.kind], Faults()
    family = Made(instrument, lambda labels: kind.cell(labels, instrument.buckets))
    live: Any = kind.recorder(family, faults)
    handle = live.with_labels(route="/b")
    for value in values:
        getattr(live, live.method)(value, route="/a")
        getattr(handle, live.method)(value)
    shown = slice(1) if instrument.kind == "gauge" else slice(None)  # without the time
    return [(cell.labels, cell.read()[shown]) for cell in family.cells()] + [faults.count()]


class TestInMemory:
    @pytest.mark.parametrize("instrument", INSTRUMENTS, ids=KIND_IDS)
    @given(values=st.lists(VALUES, max_size=6))
    def test_compiled_update_records_what_method_of_cell_records(
        self, instrument: Instrument[...], values: list[Any]
    ) -> None:
        """A compiled update records what the method of the cell records, whatever the value is."""
        by_method = recorded(instrument, THROUGH_CELLS, values)

        assert by_method == recorded(instrument, IN_PYTHON, values)

    @pytest.mark.parametrize("value", [1, 2, 2.5, Decimal(3)], ids=repr)
    @pytest.mark.parametrize("instrument", INSTRUMENTS, ids=KIND_IDS)
    def test_compiled_update_stores_plain_floats(
        self, instrument: Instrument[...], value: Any
    ) -> None:
        """A compiled update stores plain floats, also of an int and of a Decimal."""
        *series, _ = recorded(instrument, IN_PYTHON, [value])

        assert {float} == {type(number) for _, numbers in series for number in numbers}


class TestBoundCall:
    @pytest.mark.parametrize("instrument", INSTRUMENTS, ids=KIND_IDS)
    def test_handle_on_removed_series_continues_with_new_one(
        self, instrument: Instrument[...]
    ) -> None:
        """A handle on a removed series continues with the new one, and finds it only once."""
        storage = MetricStorage(Faults())
        live: Any = storage.recorder(instrument)
        handle = live.with_labels(route="/")
        record = getattr(handle, live.method)
        live.remove(route="/")
        record(1)
        cell = storage.family(instrument).find({"route": "/"})
        storage.family(instrument).by_values.clear()
        record(1)

        assert (1.0 if instrument.kind == "gauge" else 2.0) == cell.numbers[0]
