"""Instrumentation of a FastAPI application in one call."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from otel_meta.errors import ConfigurationError, InstrumentationError
from otel_meta.runtime.configure import configure
from otel_meta.runtime.telemetry import Telemetry

from .endpoints import Endpoints, Paths
from .engine.engine_options import EngineOptions
from .engine.exclusions import excluded_by_environment
from .engine.guarded_tracer import RequestHook
from .engine.routed import InnermostMiddleware
from .middleware import TelemetryMiddleware
from .readiness import Check, Readiness

if TYPE_CHECKING:
    from fastapi import FastAPI

_EXAMPLE: Final = "instrument_fastapi(app, configure('my-service', Aurora))"
_INNERMOST: Final[Any] = (InnermostMiddleware, (), {})
"""As Starlette iterates over a middleware: class, positional and keyword arguments."""
_MARK: Final = "_is_instrumented_by_otel_meta"


def instrument_fastapi(
    app: FastAPI,
    telemetry: Telemetry | None = None,
    *,
    ready: Check | None = None,
    paths: Paths | None = None,
    exclude: Iterable[str] = (),
    public: bool = False,
    traceresponse: bool = False,
    request_hook: RequestHook | None = None,
) -> Telemetry:
    """Add spans, HTTP metrics, ids in logs, and the endpoints to an application.

    Call it directly after the constructor of the application. If the application has a route at
    the path of an endpoint, the route is used.

    Args:
        app: the application.
        telemetry: from `configure`; by default configured from the environment.
        ready: check for /readyz; returns True if the dependencies of the application are available.
        paths: paths of /metrics, /slo, /healthz and /readyz.
        exclude: paths without spans, metrics and SLO events: regular expressions or templates of
            routes; by default those of ``OTEL_PYTHON_FASTAPI_EXCLUDED_URLS`` or
            ``OTEL_PYTHON_EXCLUDED_URLS``.
        public: strangers call the application: each request begins a trace with a link to the span
            of its caller, whose sampling and baggage are not taken over.
        traceresponse: send the header ``traceresponse`` besides ``server-timing``.
        request_hook: called with span and scope when a server span has started.

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
    options = EngineOptions(
        exclude=exclude or excluded_by_environment(os.environ),
        public=public,
        traceresponse=traceresponse,
        request_hook=request_hook,
    )
    _add_middleware(app, telemetry, readiness, endpoints, options)
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
    app: FastAPI,
    telemetry: Telemetry,
    readiness: Readiness,
    endpoints: Endpoints,
    options: EngineOptions,
) -> None:
    """Make the middleware the outermost one, also around middleware that is added later."""
    build = app.build_middleware_stack

    def build_with_telemetry() -> Any:
        app.user_middleware.append(_INNERMOST)
        try:
            stack = build()
        finally:
            app.user_middleware.remove(_INNERMOST)
        return TelemetryMiddleware(stack, telemetry, readiness, endpoints, options)

    vars(app)["build_middleware_stack"] = build_with_telemetry
