"""OpenTelemetry's ASGI instrumentation as the engine of server spans.

The instrumentation fails on headers that are not UTF-8, so it gets a copy of the scope with other
headers; the application gets the scope of the server.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any, Final

from opentelemetry.context import Context, attach, detach
from opentelemetry.metrics import NoOpMeterProvider
from opentelemetry.trace import TracerProvider

from otel_meta.errors import ConfigurationError
from otel_meta.runtime.sdk_environment import prefer_stable_conventions
from otel_meta.web.asgi import App, Receive, Scope, Send
from otel_meta.web.frameworks import kept

from .lent_span import LendingProvider

_OF_SERVER: Final = "otel_meta.scope_of_server"


class ContribEngine:
    """Starts server spans by OpenTelemetry's ASGI instrumentation, without its metrics.

    Args:
        app: records the metrics, and describes and ends the spans.
        provider: of the spans.
        records: returns True if a request is recorded.
    """

    def __init__(
        self, app: App, provider: TracerProvider, records: Callable[[Scope], bool]
    ) -> None:
        self.app: Final = app
        self._records: Final = records
        self._contrib: Final[App] = _middleware(_with_scope_of_server(app), provider)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, within a server span if it is recorded."""
        if not self._records(scope):
            await self.app(scope, receive, send)
            return
        token = attach(Context())  # the instrumentation continues any span that is current
        try:
            await self._contrib(_safe(scope), receive, send)
        finally:
            detach(token)


def contrib_middleware() -> Any:
    """Return the class of the instrumentation's middleware.

    Raises:
        ConfigurationError: the instrumentation is not installed.
    """
    prefer_stable_conventions()
    try:
        contrib = import_module("opentelemetry.instrumentation.asgi")
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            "engine='contrib' needs OpenTelemetry's instrumentation: "
            "pip install opentelemetry-instrumentation-asgi"
        ) from error
    return kept(contrib.OpenTelemetryMiddleware)


def _middleware(app: App, provider: TracerProvider) -> Any:
    return contrib_middleware()(
        app,
        default_span_details=_details,
        tracer_provider=LendingProvider(provider),
        meter_provider=NoOpMeterProvider(),
        exclude_spans=["receive", "send"],
    )


def _details(scope: Scope) -> tuple[str, dict[str, str]]:
    """Return a first name of a span: the route is known later."""
    return scope.get("method", "WS"), {}


def _with_scope_of_server(app: App) -> App:
    async def call(scope: Scope, receive: Receive, send: Send) -> None:
        await app(scope[_OF_SERVER], receive, send)

    return call


def _safe(scope: Scope) -> Scope:
    """Return a scope for the instrumentation, with bytes replaced that are not UTF-8."""
    return {
        **scope,
        _OF_SERVER: scope,
        "headers": [(_utf8(name), _utf8(value)) for name, value in scope["headers"]],
        "query_string": _utf8(scope.get("query_string", b"")),
    }


def _utf8(text: bytes) -> bytes:
    return text if text.isascii() else text.decode("utf-8", "replace").encode()
