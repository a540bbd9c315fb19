"""One line that instruments a FastAPI application."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from otel_meta.errors import InstrumentationError
from otel_meta.runtime.configure import configure
from otel_meta.runtime.telemetry import Telemetry

from .asgi import App
from .endpoints import Paths, endpoints
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
    """Give an application spans, HTTP metrics, ids in its logs, and its endpoints.

    Call it right after the application is made. `Paths` says where /metrics, /slo, /healthz and
    /readyz are; a route of the application's own at such a path keeps it.

    Args:
        app: the application.
        telemetry: from `configure`; by default configured from the environment.
        ready: says whether what the application needs is there, for /readyz.
        paths: where the endpoints are.

    Returns:
        The telemetry.

    Raises:
        InstrumentationError: the application serves already, or is instrumented already.
        ConfigurationError: telemetry cannot start.
    """
    if app in _instrumented:
        raise InstrumentationError(
            "this app is instrumented already; call instrument_fastapi(app) once"
        )
    if app.middleware_stack is not None:
        raise InstrumentationError(
            "this app serves already, so nothing can be put around it; "
            "call instrument_fastapi(app) right after it is made, not in its lifespan or later"
        )
    telemetry = telemetry or configure()
    readiness = Readiness(ready, telemetry.faults)
    answered = endpoints(telemetry, readiness, paths or Paths())
    trace_requests(app, telemetry)
    telemetry.logs.silence_access_logs(answered)
    _wrap(app, telemetry, readiness, answered)
    _instrumented.add(app)
    return telemetry


def _wrap(
    app: FastAPI, telemetry: Telemetry, readiness: Readiness, answered: Mapping[str, App]
) -> None:
    """Put the middleware outermost, whatever is added to the application before it serves."""
    build = app.build_middleware_stack

    def build_with_telemetry() -> Any:
        left = {path: answer for path, answer in answered.items() if not _declares(app, path)}
        return TelemetryMiddleware(build(), telemetry, readiness, left)

    vars(app)["build_middleware_stack"] = build_with_telemetry


def _declares(app: FastAPI, path: str) -> bool:
    """Whether the application has a route at this very path, rather than one that takes any."""
    scope: dict[str, Any] = {
        "type": "http",
        "method": "GET",
        "path": path,
        "root_path": "",
        "headers": [],
    }
    for route in app.routes:
        match, found = route.matches(dict(scope))
        if match.name != "NONE" and not found.get("path_params") and "root_path" not in found:
            return True
    return False
