"""Aggregation temporality: cumulative or delta, by the standard's three preferences.

Source: OpenTelemetry's specification of the OTLP metrics exporter, "Additional Environment Variable
Configuration".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from opentelemetry.sdk.metrics import (
    Counter,
    Histogram,
    ObservableCounter,
    ObservableGauge,
    ObservableUpDownCounter,
    UpDownCounter,
)
from opentelemetry.sdk.metrics.export import AggregationTemporality

from otel_meta.model.kind_traits import Kind

Preference = Mapping[type, AggregationTemporality]
"""Temporality by the SDK's class of an instrument, as exporters of the SDK take it."""

_CUMULATIVE: Final = AggregationTemporality.CUMULATIVE
_DELTA: Final = AggregationTemporality.DELTA

_ALL_CUMULATIVE: Final[Preference] = dict.fromkeys(
    (
        Counter,
        Histogram,
        UpDownCounter,
        ObservableCounter,
        ObservableUpDownCounter,
        ObservableGauge,
    ),
    _CUMULATIVE,
)
_LOW_MEMORY: Final[Preference] = {**_ALL_CUMULATIVE, Counter: _DELTA, Histogram: _DELTA}

PREFERENCES: Final[Mapping[str, Preference]] = {
    "cumulative": _ALL_CUMULATIVE,
    "delta": {**_LOW_MEMORY, ObservableCounter: _DELTA},
    "lowmemory": _LOW_MEMORY,
}
"""By values of OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE; the default is the first."""

SDK_CLASSES: Final[Mapping[Kind, type]] = {
    "counter": Counter,
    "histogram": Histogram,
    "updowncounter": UpDownCounter,
}
"""The SDK's instrument with the temporality of each kind; gauges have none."""


def temporality_of(kind: Kind, preference: str) -> AggregationTemporality:
    """Return the temporality with which the points of an instrument are pushed.

    Args:
        kind: a kind that adds up; points of a gauge have no temporality.
        preference: a key of `PREFERENCES`.

    Raises:
        ValueError: the kind has no temporality.
    """
    if kind not in SDK_CLASSES:
        raise ValueError(f"points of a {kind} have no temporality")
    return PREFERENCES[preference][SDK_CLASSES[kind]]
