from __future__ import annotations

import pytest

from otel_meta import (
    Counter,
    Gauge,
    Histogram,
    MetaRepo,
    NoLabels,
    NotBoundError,
    UpDownCounter,
)
from otel_meta.runtime.recording.bind import bind
from otel_meta.runtime.recording.faults import Faults
from otel_meta.runtime.recording.storage import MetricStorage


class Atlas(MetaRepo, name="atlas-maps", owner="maps"):
    """Map tiles and routing."""

    requests = Counter("atlas.requests", "Requests.", NoLabels)
    connections = UpDownCounter("atlas.connections", "Connections.", NoLabels)
    level = Gauge("atlas.level", "A level.", NoLabels)
    size = Histogram("atlas.size", "A size.", NoLabels, buckets=(1,))


class TestBind:
    def test_every_instrument_of_bound_instance_records(self) -> None:
        """Every instrument of a bound instance records."""
        storage = MetricStorage(Faults())
        atlas = bind(Atlas, storage)
        atlas.requests.add(1)
        atlas.connections.add(-1)
        atlas.level.set(2)
        atlas.size.record(0.5)

        shown = [
            [getattr(cell, "value", None) for cell in storage.family(instrument).cells()]
            for instrument in Atlas.instruments.values()
        ]
        assert [[1.0], [-1.0], [2], [None]] == shown

    def test_class_keeps_its_declarations(self) -> None:
        """The class keeps its declarations."""
        bind(Atlas, MetricStorage(Faults()))

        assert Atlas.instruments["requests"] is Atlas.requests

    def test_error_of_unbound_instance_names_call_to_bind(self) -> None:
        """An unbound instance of the class raises an error that names the call to bind it."""
        bind(Atlas, MetricStorage(Faults()))

        with pytest.raises(NotBoundError, match=r"telemetry\.bind\(Atlas\)"):
            Atlas().requests.add(1)

    def test_two_bound_instances_record_into_same_series(self) -> None:
        """Two bound instances record into the same series."""
        storage = MetricStorage(Faults())
        bind(Atlas, storage).requests.add(1)
        bind(Atlas, storage).requests.add(1)

        assert [2.0] == [cell.value for cell in storage.family(Atlas.requests).cells()]

    def test_two_storages_in_one_process_share_no_counts(self) -> None:
        """Two storages in one process share no counts."""
        one, other = MetricStorage(Faults()), MetricStorage(Faults())
        bind(Atlas, one).requests.add(1)
        bind(Atlas, other)

        assert [0.0] == [cell.value for cell in other.family(Atlas.requests).cells()]
