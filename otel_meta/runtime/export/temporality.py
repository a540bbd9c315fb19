"""Totals since the beginning, or what came since the last time: the standard's three preferences.

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
from otel_meta.runtime.recording.instrument_kinds import INSTRUMENT_KINDS

Preference = Mapping[type, AggregationTemporality]
"""By class of instrument, as the SDK's exporters take it."""

_TOTAL: Final = AggregationTemporality.CUMULATIVE
_CHANGE: Final = AggregationTemporality.DELTA

_CUMULATIVE: Final[Preference] = dict.fromkeys(
    (
        Counter,
        Histogram,
        UpDownCounter,
        ObservableCounter,
        ObservableUpDownCounter,
        ObservableGauge,
    ),
    _TOTAL,
)
_LOW_MEMORY: Final[Preference] = {**_CUMULATIVE, Counter: _CHANGE, Histogram: _CHANGE}

PREFERENCES: Final[Mapping[str, Preference]] = {
    "cumulative": _CUMULATIVE,
    "delta": {**_LOW_MEMORY, ObservableCounter: _CHANGE},
    "lowmemory": _LOW_MEMORY,
}
"""By the words of OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE, the default first."""


def temporality_of(kind: Kind, preference: str) -> AggregationTemporality:
    """Return whether the points of a kind of instrument are cumulative or deltas.

    Args:
        kind: a kind that adds up; points of a gauge have no temporality.
        preference: a word of `PREFERENCES`.

    Raises:
        ValueError: the kind has no temporality.
    """
    sdk_class = INSTRUMENT_KINDS[kind].sdk_class
    if sdk_class is None:
        raise ValueError(f"points of a {kind} have no temporality")
    return PREFERENCES[preference][sdk_class]
