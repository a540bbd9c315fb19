from __future__ import annotations

from typing import Any

import pytest

from otel_meta import Counter, Gauge, Histogram, NoLabels, UpDownCounter
from otel_meta.model import Instrument
from otel_meta.model.kind_traits import KIND_TRAITS, KINDS, Kind
from otel_meta.runtime.export.temporality import SDK_CLASSES
from otel_meta.runtime.recording.family import Family
from otel_meta.runtime.recording.faults import Faults
from otel_meta.runtime.recording.instrument_kinds import INSTRUMENT_KINDS
from otel_meta.runtime.recording.live_instruments import Recorder

BOUNDS = (1.0, 2.0)
INSTRUMENTS: dict[Kind, Instrument[[]]] = {
    "counter": Counter("acme.count", "What happened.", NoLabels),
    "histogram": Histogram("acme.size", "How large it is.", NoLabels, buckets=BOUNDS),
    "gauge": Gauge("acme.level", "How high it is.", NoLabels),
    "updowncounter": UpDownCounter("acme.open", "How many are open.", NoLabels),
}
each_kind = pytest.mark.parametrize("kind", KINDS)


@each_kind
def test_cell_has_numbers_of_its_width(kind: Kind) -> None:
    """A cell has as many numbers as its width says."""
    cell_class = INSTRUMENT_KINDS[kind].cell

    assert cell_class.width(BOUNDS) == len(cell_class((), BOUNDS).numbers)


@each_kind
def test_recorder_uses_method_of_cell(kind: Kind) -> None:
    """The recorder of a kind calls a method that the cell of the kind has."""
    row = INSTRUMENT_KINDS[kind]
    recorder: Recorder[Any] = row.recorder(Family(INSTRUMENTS[kind], row.cell), Faults())

    assert hasattr(row.cell, recorder.method)


@each_kind
def test_kinds_with_temporality_are_additive(kind: Kind) -> None:
    """Exactly the kinds whose points are sums have a temporality."""
    assert KIND_TRAITS[kind].is_additive == (kind in SDK_CLASSES)


@each_kind
def test_kinds_that_workers_sum_are_additive(kind: Kind) -> None:
    """Exactly the additive kinds are summed over workers without a declaration."""
    assert KIND_TRAITS[kind].is_additive == (INSTRUMENT_KINDS[kind].merge != "multiprocess_mode")
