"""Options of the engine."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .guarded_tracer import RequestHook


@dataclass(frozen=True, kw_only=True)
class EngineOptions:
    """What an application may choose."""

    exclude: Iterable[str] = ()
    """Paths without spans, metrics and SLO events: regular expressions or templates of routes."""
    public: bool = False
    """Strangers call the application: a request begins a trace with a link to its caller."""
    traceresponse: bool = False
    """Send the header ``traceresponse`` too."""
    request_hook: RequestHook | None = None
    """Called with the span and the scope of a request when the span has started."""
