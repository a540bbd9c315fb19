"""The tracer of the engine."""

from __future__ import annotations

from opentelemetry.trace import Tracer

from otel_meta._version import __version__
from otel_meta.runtime.telemetry import Telemetry

SCOPE = "otel_meta.web"
_SCHEMA = "https://opentelemetry.io/schemas/1.44.0"


def web_tracer(telemetry: Telemetry) -> Tracer | None:
    """Return the tracer of server spans; None if no spans are recorded."""
    if telemetry.traces is None:
        return None
    return telemetry.traces.provider.get_tracer(SCOPE, __version__, _SCHEMA)
