"""FastAPI's own telemetry as the engine of server spans."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from opentelemetry.trace import TracerProvider

from otel_meta.errors import ConfigurationError
from otel_meta.web.asgi import Scope
from otel_meta.web.frameworks import BuiltinTelemetry

from .lent_span import LendingProvider


def use_builtin_telemetry(
    app: Any, provider: TracerProvider, records: Callable[[Scope], bool]
) -> BuiltinTelemetry:
    """Let FastAPI start the server spans, without its metrics and logs.

    Args:
        app: an application of FastAPI.
        provider: of the spans.
        records: returns True if a request is recorded.

    Returns:
        The telemetry, to restore later.

    Raises:
        ConfigurationError: this version of FastAPI has no telemetry.
    """
    telemetry = BuiltinTelemetry(app)
    if not telemetry.exists:
        raise ConfigurationError(
            "engine='native' needs FastAPI's own telemetry: pip install 'fastapi>=0.142'"
        )

    def exclude(scope: Scope) -> bool:
        return not records(scope)

    telemetry.change(
        {
            "tracing": True,
            "metrics": False,
            "logs": False,
            "tracer_provider": LendingProvider(provider),
            "exclude": exclude,
        }
    )
    return telemetry
