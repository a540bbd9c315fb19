"""Checked by mypy and pyright, never run: live instruments implement their protocols."""

from __future__ import annotations

from otel_meta.model.live import LiveCounter, LiveGauge, LiveHistogram, LiveUpDownCounter
from otel_meta.runtime.api.following_instruments import (
    FollowingCounter,
    FollowingCounterHandle,
    FollowingGauge,
    FollowingGaugeHandle,
    FollowingHistogram,
    FollowingHistogramHandle,
)
from otel_meta.runtime.recording.live_instruments import (
    CounterHandle,
    CounterRecorder,
    GaugeHandle,
    GaugeRecorder,
    HistogramHandle,
    HistogramRecorder,
    UpDownCounterRecorder,
)


def counters(recorder: CounterRecorder, handle: CounterHandle) -> list[LiveCounter[...]]:
    """Counters and their handles."""
    return [recorder, handle]


def up_down(recorder: UpDownCounterRecorder, handle: CounterHandle) -> list[LiveUpDownCounter[...]]:
    """Up-down counters and their handles."""
    return [recorder, handle]


def gauges(recorder: GaugeRecorder, handle: GaugeHandle) -> list[LiveGauge[...]]:
    """Gauges and their handles."""
    return [recorder, handle]


def histograms(recorder: HistogramRecorder, handle: HistogramHandle) -> list[LiveHistogram[...]]:
    """Histograms and their handles."""
    return [recorder, handle]


def following_counters(
    live: FollowingCounter, handle: FollowingCounterHandle
) -> tuple[list[LiveCounter[...]], list[LiveUpDownCounter[...]]]:
    """Counters and up-down counters that follow the process."""
    return [live, handle], [live, handle]


def following_gauges(live: FollowingGauge, handle: FollowingGaugeHandle) -> list[LiveGauge[...]]:
    """Gauges that follow the process."""
    return [live, handle]


def following_histograms(
    live: FollowingHistogram, handle: FollowingHistogramHandle
) -> list[LiveHistogram[...]]:
    """Histograms that follow the process."""
    return [live, handle]
