"""Instrumentation of a FastAPI application in one call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from otel_meta.errors import InstrumentationError
from otel_meta.runtime.configure import configure
from otel_meta.runtime.telemetry import Telemetry

from .endpoints import Endpoints, Paths
from .middleware import TelemetryMiddleware
from .readiness import Check, Readiness
from .server_spans import trace_requests

if TYPE_CHECKING:
    from fastapi import FastAPI

_instrumented: WeakSet[Any] = WeakSet()


def instrument_fastapi(
    app: FastAPI,
    telemetry: Telemetry | None = None,
    *,
    ready: Check | None = None,
    paths: Paths | None = None,
) -> Telemetry:
    """Add spans, HTTP metrics, ids in logs, and the endpoints to an application.

    Call it directly after the constructor of the application. If the application has a route at
    the path of an endpoint, the route is used.

    Args:
        app: the application.
        telemetry: from `configure`; by default configured from the environment.
        ready: check for /readyz; returns True if the dependencies of the application are available.
        paths: paths of /metrics, /slo, /healthz and /readyz.

    Returns:
        The telemetry.

    Raises:
        InstrumentationError: the application is running or instrumented already.
        ConfigurationError: telemetry cannot start.
    """
    if app in _instrumented:
        raise InstrumentationError(
            "this app is instrumented already; call instrument_fastapi(app) once"
        )
    if app.middleware_stack is not None:
        raise InstrumentationError(
            "this app serves already, so no middleware can be added; "
            "call instrument_fastapi(app) right after FastAPI(), not in its lifespan or later"
        )
    telemetry = telemetry or configure()
    readiness = Readiness(ready, telemetry.faults)
    endpoints = Endpoints(telemetry, readiness, paths or Paths(), lambda: app.routes)
    trace_requests(app, telemetry)
    telemetry.logs.silence_access_logs(endpoints.paths)
    _add_middleware(app, telemetry, readiness, endpoints)
    _instrumented.add(app)
    return telemetry


def _add_middleware(
    app: FastAPI, telemetry: Telemetry, readiness: Readiness, endpoints: Endpoints
) -> None:
    """Make the middleware the outermost one, also around middleware that is added later."""
    build = app.build_middleware_stack

    def build_with_telemetry() -> Any:
        return TelemetryMiddleware(build(), telemetry, readiness, endpoints)

    vars(app)["build_middleware_stack"] = build_with_telemetry
