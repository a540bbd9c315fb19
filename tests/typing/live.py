"""Checked by mypy and pyright, never run: what is live has the face that was declared for it."""

from __future__ import annotations

from otel_meta.model.live import LiveCounter, LiveGauge, LiveHistogram, LiveUpDownCounter
from otel_meta.runtime.recording.handles import BoundGauge, BoundHistogram, BoundSum
from otel_meta.runtime.recording.live_instruments import (
    CounterRecorder,
    GaugeRecorder,
    HistogramRecorder,
    UpDownCounterRecorder,
)


def counters(recorder: CounterRecorder, handle: BoundSum) -> list[LiveCounter[...]]:
    """Counters and their handles."""
    return [recorder, handle]


def up_down(recorder: UpDownCounterRecorder, handle: BoundSum) -> list[LiveUpDownCounter[...]]:
    """Up-down counters and their handles."""
    return [recorder, handle]


def gauges(recorder: GaugeRecorder, handle: BoundGauge) -> list[LiveGauge[...]]:
    """Gauges and their handles."""
    return [recorder, handle]


def histograms(recorder: HistogramRecorder, handle: BoundHistogram) -> list[LiveHistogram[...]]:
    """Histograms and their handles."""
    return [recorder, handle]
