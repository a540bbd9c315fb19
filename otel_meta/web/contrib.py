"""The engine of spans: opentelemetry-instrumentation-fastapi, for spans alone.

Its metrics are off: they count background tasks into the duration (contrib#3591) and mix up the
sizes of concurrent responses (contrib PR#5081). The middleware records the same metrics itself.

FastAPI from 0.142 has telemetry of its own, which stands back as soon as contrib's middleware is
in the stack: one server span a request.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from opentelemetry.metrics import NoOpMeterProvider

from otel_meta.errors import InstrumentationError
from otel_meta.runtime.exporters import optional
from otel_meta.runtime.process import prefer_stable_conventions
from otel_meta.runtime.telemetry import Telemetry

if TYPE_CHECKING:
    from fastapi import FastAPI


def trace_requests(app: FastAPI, telemetry: Telemetry, excluded: Iterable[str]) -> None:
    """Have each request make one server span.

    Args:
        app: not yet serving.
        telemetry: whose spans they are; without traces, nothing is done.
        excluded: paths that make none.

    Raises:
        MissingExtra: contrib's instrumentation is not installed.
        InstrumentationError: it has instrumented the application already.
    """
    if telemetry.traces is None:
        return
    prefer_stable_conventions()
    contrib = optional(
        "opentelemetry.instrumentation.fastapi", "FastAPI instrumentation", "fastapi"
    )
    if getattr(app, "_is_instrumented_by_opentelemetry", False):
        raise InstrumentationError(
            "opentelemetry-instrumentation-fastapi has instrumented this app already; "
            "call otel_meta.instrument(app) instead of FastAPIInstrumentor.instrument_app(app)"
        )
    contrib.FastAPIInstrumentor.instrument_app(
        app,
        tracer_provider=telemetry.traces.provider,
        meter_provider=NoOpMeterProvider(),
        excluded_urls=",".join(map(_anchored, excluded)),
        exclude_spans=["receive", "send"],
    )


def _anchored(path: str) -> str:
    """A pattern for one path of any host: contrib searches the whole URL, Host included."""
    return rf"^https?://[^/]+{re.escape(path)}$"
