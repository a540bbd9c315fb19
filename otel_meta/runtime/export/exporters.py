"""Exporters of the SDK's, by the names that OTEL_*_EXPORTER gives them."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any, Final, NamedTuple

from otel_meta.errors import ConfigurationError, MissingExtra
from otel_meta.extras import ExtraImports
from otel_meta.runtime.settings import Settings, Signal

from .temporality import PREFERENCES


class _Otlp(NamedTuple):
    module: str
    exporter: str
    path: str
    """Appended to a base URL over HTTP."""


_HTTP: Final = "opentelemetry.exporter.otlp.proto.http"
_GRPC: Final = "opentelemetry.exporter.otlp.proto.grpc"
_OTLP: Final[dict[tuple[Signal, str], _Otlp]] = {
    ("traces", "http/protobuf"): _Otlp(f"{_HTTP}.trace_exporter", "OTLPSpanExporter", "/v1/traces"),
    ("metrics", "http/protobuf"): _Otlp(
        f"{_HTTP}.metric_exporter", "OTLPMetricExporter", "/v1/metrics"
    ),
    ("logs", "http/protobuf"): _Otlp(f"{_HTTP}._log_exporter", "OTLPLogExporter", "/v1/logs"),
    ("traces", "grpc"): _Otlp(f"{_GRPC}.trace_exporter", "OTLPSpanExporter", ""),
    ("metrics", "grpc"): _Otlp(f"{_GRPC}.metric_exporter", "OTLPMetricExporter", ""),
    ("logs", "grpc"): _Otlp(f"{_GRPC}._log_exporter", "OTLPLogExporter", ""),
}
_CONSOLE: Final[dict[Signal, tuple[str, str]]] = {
    "traces": ("opentelemetry.sdk.trace.export", "ConsoleSpanExporter"),
    "metrics": ("opentelemetry.sdk.metrics.export", "ConsoleMetricExporter"),
}


def create_exporter(signal: Signal, name: str, settings: Settings) -> Any:
    """An exporter of the SDK's for a signal.

    Raises:
        MissingExtra: its package is not installed.
        ConfigurationError: it refused its settings.
    """
    factory = _OWN.get(name, _installed)
    try:
        return factory(signal, name, settings)
    except (MissingExtra, ConfigurationError):
        raise
    except Exception as error:
        raise ConfigurationError(
            f"the {name} exporter of {signal} cannot start: {error}; "
            f"check the OTEL_EXPORTER_* variables"
        ) from error


def _otlp(signal: Signal, _name: str, settings: Settings) -> Any:
    row = _OTLP[signal, settings.protocols[signal]]
    with ExtraImports("otlp", "OTLP export"):
        exporter = getattr(import_module(row.module), row.exporter)
    base = settings.otlp_endpoint
    return exporter(
        endpoint=settings.otlp_own_endpoints.get(signal)
        or (None if base is None else base.rstrip("/") + row.path),
        timeout=settings.otlp_timeouts[signal],
        **_temporality(signal, settings),
    )


def _temporality(signal: Signal, settings: Settings) -> dict[str, Any]:
    """For the SDK's instruments what ours have, though it reads the same variable itself."""
    if signal != "metrics":
        return {}
    return {"preferred_temporality": PREFERENCES[settings.temporality]}


def _console(signal: Signal, _name: str, _settings: Settings) -> Any:
    module, exporter = _CONSOLE[signal]
    return getattr(import_module(module), exporter)()


def _installed(signal: Signal, name: str, _settings: Settings) -> Any:
    (entry, *_) = entry_points(group=f"opentelemetry_{signal}_exporter", name=name)
    return entry.load()()


_OWN: Final[dict[str, Callable[[Signal, str, Settings], Any]]] = {
    "otlp": _otlp,
    "console": _console,
}
