"""Export targets: one row for each value of OTEL_TRACES_, OTEL_METRICS_ and OTEL_LOGS_EXPORTER.

A new target is a row of `TARGETS` with a factory. `settings` checks names against this table, and
`metrics` selects the push targets. Exporters of installed packages need no row: their entry points
are enough.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any, Final, NamedTuple

from otel_meta.errors import ConfigurationError, MissingExtra
from otel_meta.extras import ExtraImports
from otel_meta.runtime.interruption import reraise_interruption
from otel_meta.runtime.signals import SIGNALS, Signal

from .otlp_settings import OtlpSettings
from .temporality import PREFERENCES

_CLASSES: Final[Mapping[Signal, str]] = {
    "traces": "OTLPSpanExporter",
    "metrics": "OTLPMetricExporter",
    "logs": "OTLPLogExporter",
}
_MODULES: Final[Mapping[Signal, str]] = {
    "traces": "trace_exporter",
    "metrics": "metric_exporter",
    "logs": "_log_exporter",
}


def _create_http(exporter: type[Any], signal: Signal, options: dict[str, Any]) -> Any:
    from .encoding.encoding_exporters import (  # noqa: PLC0415 - needs an extra
        SerializedRequest,
        encoding_exporter,
    )
    from .otlp_http import OtlpSession  # noqa: PLC0415 - likewise

    encoding = encoding_exporter(exporter, SerializedRequest)
    return encoding(session=OtlpSession(signal), **options)


def _create_grpc(exporter: type[Any], signal: Signal, options: dict[str, Any]) -> Any:
    from .encoding.encoding_exporters import (  # noqa: PLC0415 - needs an extra
        encoding_exporter,
        request_message,
    )
    from .otlp_grpc import checked_exporter  # noqa: PLC0415 - likewise

    encoding = encoding_exporter(exporter, request_message)
    return checked_exporter(encoding, signal, options["endpoint"])(**options)


class _Protocol(NamedTuple):
    package: str
    endpoint: str
    """Base URL without a setting."""
    path: str
    """Appended to a base URL, a format with ``signal``."""
    create: Callable[[type[Any], Signal, dict[str, Any]], Any]


_PROTOCOLS: Final[Mapping[str, _Protocol]] = {
    "http/protobuf": _Protocol(
        "opentelemetry.exporter.otlp.proto.http",
        "http://localhost:4318",
        "/v1/{signal}",
        _create_http,
    ),
    "grpc": _Protocol(
        "opentelemetry.exporter.otlp.proto.grpc", "http://localhost:4317", "", _create_grpc
    ),
}


def _create_otlp(signal: Signal, otlp: OtlpSettings) -> Any:
    protocol = _PROTOCOLS[otlp.protocols[signal]]
    options: dict[str, Any] = {
        "endpoint": otlp.signal_endpoints.get(signal)
        or (otlp.endpoint or protocol.endpoint).rstrip("/") + protocol.path.format(signal=signal),
        "timeout": otlp.timeouts[signal],
    }
    if signal == "metrics":  # the SDK's own instruments get the same temporality as ours
        options["preferred_temporality"] = PREFERENCES[otlp.temporality]
    with ExtraImports("otlp", "OTLP export"):
        module = import_module(f"{protocol.package}.{_MODULES[signal]}")
        return protocol.create(getattr(module, _CLASSES[signal]), signal, options)


_CONSOLE_EXPORTERS: Final[Mapping[Signal, tuple[str, str]]] = {
    "traces": ("opentelemetry.sdk.trace.export", "ConsoleSpanExporter"),
    "metrics": ("opentelemetry.sdk.metrics.export", "ConsoleMetricExporter"),
}


def _create_console(signal: Signal, _otlp: OtlpSettings) -> Any:
    module, exporter = _CONSOLE_EXPORTERS[signal]
    return getattr(import_module(module), exporter)()


@dataclass(frozen=True)
class Target:
    """An export target.

    Args:
        signals: the supported signals.
        create: makes the SDK's exporter of a signal; None if nothing is pushed.
        has_temporality: True if `OtlpSettings` has the temporality of metrics; False for
            cumulative metrics.
    """

    signals: tuple[Signal, ...]
    create: Callable[[Signal, OtlpSettings], Any] | None = None
    has_temporality: bool = False


TARGETS: Final[Mapping[str, Target]] = {
    "otlp": Target(SIGNALS, _create_otlp, has_temporality=True),
    "console": Target(("traces", "metrics"), _create_console),
    "prometheus": Target(("metrics",)),  # pulled: see runtime/prometheus
    "none": Target(SIGNALS),
}


def target_names(signal: Signal) -> list[str]:
    """Return the names of the targets of a signal, without installed packages."""
    return sorted(name for name, target in TARGETS.items() if signal in target.signals)


def is_exporter(signal: Signal, name: str) -> bool:
    """Return True if a signal can go to a target of this name, or to an installed exporter."""
    return name in target_names(signal) or bool(_installed(signal, name))


def is_pushed(name: str) -> bool:
    """Return True if a thread of this process sends to the target; False if the target pulls."""
    return name not in TARGETS or TARGETS[name].create is not None


def temporality_preference(name: str, otlp: OtlpSettings) -> str:
    """Return the key of `PREFERENCES` for the metrics of a target.

    The exporter of an installed package chooses for the SDK's instruments alone, and does not
    report the choice. Our series are cumulative there.
    """
    return otlp.temporality if name in TARGETS and TARGETS[name].has_temporality else "cumulative"


def create_exporter(signal: Signal, name: str, otlp: OtlpSettings) -> Any:
    """Create the SDK's exporter of a signal for a push target.

    Raises:
        MissingExtra: the exporter's package is not installed.
        ConfigurationError: the exporter refused its settings.
    """
    try:
        target = TARGETS.get(name)
        if target is None or target.create is None:
            (entry, *_) = _installed(signal, name)
            return entry.load()()
        return target.create(signal, otlp)
    except (MissingExtra, ConfigurationError):
        raise
    except Exception as error:
        reraise_interruption(error)
        raise ConfigurationError(
            f"the {name} exporter of {signal} cannot start: {error}; "
            f"check the OTEL_EXPORTER_* variables"
        ) from error


def _installed(signal: Signal, name: str) -> Any:
    return entry_points(group=f"opentelemetry_{signal}_exporter", name=name)
