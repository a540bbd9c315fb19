"""Server spans by opentelemetry-instrumentation-fastapi, without the metrics of that package.

Contrib's durations include background tasks (contrib#3591), and concurrent responses mix up the
sizes (contrib PR#5081). `TelemetryMiddleware` records the same metrics.

FastAPI since 0.142 has built-in telemetry, and switches it off if contrib's middleware is in the
stack. So each request has one server span.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opentelemetry.metrics import NoOpMeterProvider
from opentelemetry.trace import Span

from otel_meta.errors import InstrumentationError
from otel_meta.extras import ExtraImports
from otel_meta.runtime.sdk_environment import prefer_stable_conventions
from otel_meta.runtime.telemetry import Telemetry

from .asgi import Scope


def trace_requests(app: Any, telemetry: Telemetry) -> None:
    """Record a server span for each request.

    Args:
        app: a FastAPI application, before it serves.
        telemetry: its tracer provider is used; without traces, the call does nothing.

    Raises:
        MissingExtra: contrib's instrumentation is not installed.
        InstrumentationError: contrib has instrumented the application already.
    """
    if telemetry.traces is None:
        return
    prefer_stable_conventions()
    with ExtraImports("fastapi", "FastAPI instrumentation"):
        from opentelemetry.instrumentation.fastapi import (  # noqa: PLC0415 - needs an extra
            FastAPIInstrumentor,
        )
    if getattr(app, "_is_instrumented_by_opentelemetry", False):
        raise InstrumentationError(
            "opentelemetry-instrumentation-fastapi has instrumented this app already; "
            "call otel_meta.instrument_fastapi(app) instead of "
            "FastAPIInstrumentor.instrument_app(app)"
        )
    FastAPIInstrumentor.instrument_app(
        app,
        tracer_provider=telemetry.traces.provider,
        meter_provider=NoOpMeterProvider(),
        exclude_spans=["receive", "send"],
        server_request_hook=_redact_query,
    )


def _redact_query(span: Span, scope: Scope) -> None:
    """Replace the values of query parameters, because secrets are in values; keep the names."""
    query: bytes = scope.get("query_string", b"")
    if query and span.is_recording():
        names = [part.partition(b"=")[0].decode("latin-1") for part in query.split(b"&")]
        redacted = "&".join(f"{name}=REDACTED" for name in names)
        span.set_attribute("url.query", redacted)
        _redact_legacy(span, redacted)


def _redact_legacy(span: Span, redacted: str) -> None:
    """Redact the legacy attributes too, which OTEL_SEMCONV_STABILITY_OPT_IN may enable."""
    attributes: Mapping[str, Any] = getattr(span, "attributes", None) or {}
    for key in ("http.url", "http.target"):
        path, question_mark, _ = str(attributes.get(key, "")).partition("?")
        if question_mark:
            span.set_attribute(key, f"{path}?{redacted}")
