"""Instrumentation of any ASGI application."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Unpack

from otel_meta.errors import ConfigurationError
from otel_meta.runtime.configure import configure
from otel_meta.runtime.telemetry import Telemetry

from .asgi import App
from .frameworks import OtherRecorders
from .middleware import TelemetryMiddleware
from .web_option_checks import check_arguments
from .web_options import WebOptions, create_parts


def instrument_asgi(
    app: App, telemetry: Telemetry | None = None, **options: Unpack[WebOptions]
) -> TelemetryMiddleware:
    """Return an application with spans, HTTP metrics, ids in logs, and the endpoints.

    Give the result to the server: ``app = instrument_asgi(app)``.

    Args:
        app: an ASGI application, such as one of Starlette. For FastAPI, call `instrument_fastapi`.
        telemetry: from `configure`; by default configured from the environment.
        **options: as of `instrument_fastapi`, except for ``engine``: others are for FastAPI alone.

    Raises:
        ConfigurationError: telemetry cannot start, or an argument is invalid.
        TypeError: an option has an unknown name.
    """
    if not callable(app):
        raise ConfigurationError(f"app={app!r} is no ASGI application, which can be called")
    check_arguments(telemetry, options)
    if options.get("engine") not in {None, "meta"}:
        raise ConfigurationError(
            f"engine={options['engine']!r} is for FastAPI alone; call instrument_fastapi(app)"
        )
    telemetry = telemetry or configure()
    parts = create_parts(telemetry, lambda: _routes(app), {**options, "engine": "meta"})
    return TelemetryMiddleware(app, telemetry, parts, others=OtherRecorders(app))


def _routes(app: Any) -> Iterable[Any]:
    return getattr(app, "routes", None) or ()
