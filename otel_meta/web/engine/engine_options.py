"""Options of the engine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .guarded_tracer import RequestHook

EngineName = Literal["meta", "contrib", "native"]
"""Of otel_meta, of OpenTelemetry's instrumentation, or of FastAPI's own telemetry."""


@dataclass(frozen=True, kw_only=True)
class EngineOptions:
    """What an application may choose."""

    engine: str = "meta"
    """Which engine starts the server spans."""
    public: bool = False
    """Strangers call the application: a request begins a trace with a link to its caller."""
    traceresponse: bool = False
    """Send the header ``traceresponse`` too."""
    request_hook: RequestHook | None = None
    """Called with the span and the scope of a request when the span has started."""
