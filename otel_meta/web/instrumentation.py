"""What `instrument_fastapi` changes in an application, and how it is undone."""

from __future__ import annotations

from typing import Any, Final

from otel_meta.runtime.telemetry import Telemetry

from .asgi import App, Scope, path_of
from .engine.http.innermost_middleware import InnermostMiddleware
from .engine.marks import EXCHANGE
from .frameworks import BuiltinTelemetry, OtherRecorders, StackHook
from .middleware import TelemetryMiddleware
from .other_engines.contrib_engine import ContribEngine, contrib_middleware
from .other_engines.native_engine import use_builtin_telemetry
from .web_options import Parts


class Instrumentation:
    """The instrumentation of one application.

    Args:
        app: of FastAPI or Starlette.
        telemetry: records the requests.
        parts: of the middleware.
    """

    def __init__(
        self,
        app: Any,
        telemetry: Telemetry,
        parts: Parts,
    ) -> None:
        self._app: Final = app
        self._telemetry: Final = telemetry
        self._parts: Final = parts
        self._others: Final = OtherRecorders(app)
        self._hook: Final = StackHook(app, self._around, InnermostMiddleware)
        self._builtin: BuiltinTelemetry | None = None

    def install(self) -> None:
        """Make the middleware the outermost one, also around middleware that is added later."""
        traces = self._telemetry.traces
        if self._parts.options.engine == "contrib":
            contrib_middleware()
        self._others.remove()
        if self._parts.options.engine == "native" and traces is not None:
            self._builtin = use_builtin_telemetry(self._app, traces.provider, self._records)
        self._hook.install()

    def undo(self) -> None:
        """Restore the application."""
        self._hook.remove()
        if self._builtin is not None:
            self._builtin.restore()
        self._others.restore()

    def _around(self, stack: App) -> App:
        self._others.remove_from(stack)
        middleware = TelemetryMiddleware(stack, self._telemetry, self._parts, others=self._others)
        traces = self._telemetry.traces
        if self._parts.options.engine == "contrib" and traces is not None:
            return ContribEngine(middleware, traces.provider, self._records)
        return middleware

    def _records(self, scope: Scope) -> bool:
        """Return True if a request has a server span."""
        if scope["type"] not in {"http", "websocket"} or EXCHANGE in scope:
            return False
        path = path_of(scope)
        is_endpoint = scope["type"] == "http" and self._parts.endpoints.find(path) is not None
        return not (is_endpoint or self._parts.exclusions.includes(path))
