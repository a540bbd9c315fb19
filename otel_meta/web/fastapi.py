"""Instrumentation of a FastAPI application in one call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from otel_meta.errors import ConfigurationError, InstrumentationError
from otel_meta.runtime.configure import configure
from otel_meta.runtime.sdk_environment import checked_variables
from otel_meta.runtime.telemetry import Telemetry

from .endpoints import Endpoints, Paths
from .middleware import TelemetryMiddleware
from .readiness import Check, Readiness
from .server_spans import trace_requests

if TYPE_CHECKING:
    from fastapi import FastAPI

_EXAMPLE: Final = "instrument_fastapi(app, configure('my-service', Aurora))"
_MARK: Final = "_is_instrumented_by_otel_meta"


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
        ConfigurationError: telemetry cannot start, or an argument is invalid.
    """
    _check_arguments(app, telemetry, ready, paths)
    if _MARK in vars(app):
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
    with checked_variables(telemetry.settings.sdk_variables):
        trace_requests(app, telemetry)
    telemetry.logs.silence_access_logs(endpoints.paths)
    _add_middleware(app, telemetry, readiness, endpoints)
    vars(app)[_MARK] = True
    return telemetry


def _check_arguments(app: object, telemetry: object, ready: object, paths: object) -> None:
    """Refuse exchanged arguments, which no type checker may have seen."""
    if not callable(getattr(app, "build_middleware_stack", None)):
        raise ConfigurationError(
            f"app={app!r} is no FastAPI application; give the application first, as in {_EXAMPLE}"
        )
    if not isinstance(telemetry, Telemetry | None):
        raise ConfigurationError(
            f"telemetry={telemetry!r} is no telemetry; give the result of configure(), as in "
            f"{_EXAMPLE}"
        )
    if ready is not None and not callable(ready):
        raise ConfigurationError(
            f"ready={ready!r} cannot be called; give the function itself, without parentheses"
        )
    if not isinstance(paths, Paths | None):
        raise ConfigurationError(
            f"paths={paths!r} is no set of paths; write it as paths=Paths(metrics='/metrics')"
        )


def _add_middleware(
    app: FastAPI, telemetry: Telemetry, readiness: Readiness, endpoints: Endpoints
) -> None:
    """Make the middleware the outermost one, also around middleware that is added later."""
    build = app.build_middleware_stack

    def build_with_telemetry() -> Any:
        return TelemetryMiddleware(build(), telemetry, readiness, endpoints)

    vars(app)["build_middleware_stack"] = build_with_telemetry
