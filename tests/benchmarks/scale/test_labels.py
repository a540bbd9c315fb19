from __future__ import annotations

import sys
from types import MappingProxyType
from typing import Any

import pytest
import series_count
from scale.labels import OPEN, label_sets

from otel_meta.model import Histogram, Instrument, MetaRepo
from otel_meta.repos import BUILTIN
from otel_meta.testing import capture

FEW = MappingProxyType({name: 1 + n % 3 for n, name in enumerate(OPEN)})

each_repo = pytest.mark.parametrize("repo", list(BUILTIN), ids=lambda repo: repo.name)


def _record(instrument: Instrument[...], live: Any, labels: dict[str, str]) -> None:
    match instrument:
        case Histogram():
            live.record(1, **labels)
        case _ if instrument.kind == "gauge":
            live.set(1, **labels)
        case _:
            live.add(1, **labels)


@pytest.mark.skipif(sys.platform != "linux", reason="prometheus_client reads /proc")
@each_repo
def test_series_are_those_that_are_exposed(repo: type[MetaRepo]) -> None:
    """A process with all sets of labels exposes the computed number of series."""
    with capture("svc", repo) as captured:
        live = captured.bind(repo)
        for attribute, instrument in repo.instruments.items():
            for labels in label_sets(instrument, FEW):
                _record(instrument, getattr(live, attribute), dict(labels))
        lines = [x for x in captured.prometheus_text().splitlines() if not x.startswith("#")]

        assert 0 == captured.telemetry.faults.count()
    assert series_count.exposed(repo, FEW) == len(lines)


@each_repo
def test_open_labels_are_all_stated(repo: type[MetaRepo]) -> None:
    """Every open label of the catalogue has a number of values."""
    multiplied = {
        field.name
        for instrument in repo.instruments.values()
        for field in instrument.label_fields
        if field.values is None and field.name != "error_type"  # follows from the status
    }

    assert set() == multiplied - OPEN.keys()
