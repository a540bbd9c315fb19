"""The test kit: telemetry captured in memory, a clock to turn by hand, and an OTLP receiver."""

from .capture import CapturedTelemetry, capture
from .clock import FakeClock
from .otlp_sink import OtlpSink

__all__ = ["CapturedTelemetry", "FakeClock", "OtlpSink", "capture"]
