"""Instrumentation of a FastAPI application in one call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Unpack

from otel_meta.errors import ConfigurationError, InstrumentationError
from otel_meta.runtime.configure import configure
from otel_meta.runtime.telemetry import Telemetry

from .instrumentation import Instrumentation
from .web_option_checks import EXAMPLE, check_arguments
from .web_options import WebOptions, create_parts

if TYPE_CHECKING:
    from fastapi import FastAPI

_MARK: Final = "_is_instrumented_by_otel_meta"


def instrument_fastapi(
    app: FastAPI, telemetry: Telemetry | None = None, **options: Unpack[WebOptions]
) -> Telemetry:
    """Add spans, HTTP metrics, ids in logs, and the endpoints to an application.

    Call it directly after the constructor of the application. If the application has a route at
    the path of an endpoint, the route is used.

    Args:
        app: the application.
        telemetry: from `configure`; by default configured from the environment.
        **options: the keyword arguments below, all optional.

    Keyword Args:
        ready: check for /readyz; returns True if the dependencies of the application are available.
        paths: paths of /metrics, /slo, /healthz and /readyz.
        engine: what starts the server spans: ``meta``, ``contrib`` (OpenTelemetry's ASGI
            instrumentation) or ``native`` (FastAPI's own telemetry); metrics, ids and outcomes are
            of otel_meta in any case. By default ``OTEL_META_ENGINE``, else ``meta``.
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
        TypeError: an option has an unknown name.
    """
    _check_app(app)
    check_arguments(telemetry, options)
    if is_instrumented(app):
        raise InstrumentationError(
            "this app is instrumented already; call instrument_fastapi(app) once"
        )
    if app.middleware_stack is not None:
        raise InstrumentationError(
            "this app serves already, so no middleware can be added; "
            "call instrument_fastapi(app) right after FastAPI(), not in its lifespan or later"
        )
    telemetry = telemetry or configure()
    if telemetry.settings.job:
        raise ConfigurationError(
            "job=True (OTEL_META_JOB) is for a process that ends early: leave it out for a web "
            "application, whose /metrics a job does not serve"
        )
    parts = create_parts(telemetry, lambda: app.routes, options)
    instrumentation = Instrumentation(app, telemetry, parts)
    instrumentation.install()
    vars(app)[_MARK] = instrumentation
    return telemetry


def uninstrument_fastapi(app: FastAPI) -> None:
    """Restore an application as it was before `instrument_fastapi`, also while it serves.

    FastAPI's own telemetry and middleware of OpenTelemetry's instrumentations record again, and
    middleware can be added.

    Args:
        app: an instrumented application; of another application, nothing changes.
    """
    instrumentation: Instrumentation | None = vars(app).pop(_MARK, None)
    if instrumentation is not None:
        instrumentation.undo()


def is_instrumented(app: object) -> bool:
    """Return True if `instrument_fastapi` was called for an application."""
    return _MARK in vars(app)


def _check_app(app: object) -> None:
    if not callable(getattr(app, "build_middleware_stack", None)):
        raise ConfigurationError(
            f"app={app!r} is no FastAPI application; give the application first, as in {EXAMPLE}"
        )
