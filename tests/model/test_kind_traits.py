from __future__ import annotations

import pytest

from otel_meta.model.kind_traits import (
    BUCKET_KINDS,
    EVENT_KINDS,
    KIND_TRAITS,
    KINDS,
    VALUE_KINDS,
    Kind,
)


def test_every_kind_has_one_row() -> None:
    """Every kind has one row of traits."""
    assert list(KINDS) == list(KIND_TRAITS)


def test_kinds_that_count_events_are_counters_and_histograms() -> None:
    """Counters and histograms count events."""
    assert ("counter", "histogram") == EVENT_KINDS


def test_kinds_with_current_value_are_gauges_and_updowncounters() -> None:
    """Gauges and up-down counters have a current value."""
    assert ("gauge", "updowncounter") == VALUE_KINDS


def test_only_histograms_have_buckets() -> None:
    """Only histograms have buckets."""
    assert ("histogram",) == BUCKET_KINDS


@pytest.mark.parametrize("kind", KINDS)
def test_only_prometheus_counters_are_monotonic(kind: Kind) -> None:
    """A kind is monotonic exactly if Prometheus calls it a counter."""
    traits = KIND_TRAITS[kind]

    assert traits.monotonic == (traits.prometheus_type == "counter")
