"""The test kit: telemetry captured in memory, a clock set by hand, and an OTLP receiver.

Names are imported on first use: pytest loads the plugin of this package in every run, also where
the packages behind the extras are not installed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from otel_meta._lazy import lazy_names

if TYPE_CHECKING:
    from .clock import FakeClock
    from .otlp_receiver import OtlpReceiver
    from .telemetry_capture import CapturedTelemetry, capture

__all__ = ["CapturedTelemetry", "FakeClock", "OtlpReceiver", "capture"]

_HOMES: Final = {
    "CapturedTelemetry": "otel_meta.testing.telemetry_capture",
    "FakeClock": "otel_meta.testing.clock",
    "OtlpReceiver": "otel_meta.testing.otlp_receiver",
    "capture": "otel_meta.testing.telemetry_capture",
}

if not TYPE_CHECKING:  # with a module __getattr__, a type checker accepts every name
    __getattr__, __dir__ = lazy_names(__name__, _HOMES, __all__)
