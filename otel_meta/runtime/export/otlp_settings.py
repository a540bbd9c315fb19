"""Settings of OTLP export, from OpenTelemetry's standard variables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from otel_meta.errors import ConfigurationError
from otel_meta.runtime.environment import Environment
from otel_meta.runtime.signals import SIGNALS, Signal

from .temporality import PREFERENCES

_PROTOCOLS: Final = ("http/protobuf", "grpc")
"""The standard's names, the default first."""
_SCHEMES: Final = ("http://", "https://")
_ENDPOINT: Final = "OTEL_EXPORTER_OTLP_ENDPOINT"


@dataclass(frozen=True, kw_only=True)
class OtlpSettings:
    """Settings of every OTLP exporter of this process; times in seconds."""

    endpoint: str | None
    """Base URL for all signals; None leaves the default of the SDK's exporters."""
    signal_endpoints: Mapping[Signal, str]
    """Complete URLs of single signals, to which no path is appended."""
    protocols: Mapping[Signal, str]
    timeouts: Mapping[Signal, float]
    temporality: str
    """A key of `PREFERENCES`: cumulative, delta or lowmemory."""


def read_otlp_settings(env: Environment, endpoint: str | None) -> OtlpSettings:
    """Read the settings of OTLP export.

    Args:
        env: environment variables.
        endpoint: the option ``otlp_endpoint``; overrides every endpoint variable.

    Raises:
        ConfigurationError: the option is not a URL, which export over HTTP needs.
    """
    protocols: dict[Signal, str] = {signal: _protocol(env, signal) for signal in SIGNALS}
    if endpoint and "http/protobuf" in protocols.values() and not endpoint.startswith(_SCHEMES):
        raise ConfigurationError(
            f"otlp_endpoint={endpoint!r} is not a URL; write it as http://localhost:4318"
        )
    return OtlpSettings(
        endpoint=endpoint or env.text(_ENDPOINT),
        signal_endpoints={} if endpoint else _signal_endpoints(env),
        protocols=protocols,
        timeouts={signal: _timeout(env, signal) for signal in SIGNALS},
        temporality=env.choice(
            "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE",
            known=tuple(PREFERENCES),
            default="cumulative",
        ),
    )


def is_endpoint_set(env: Environment, signal: Signal) -> bool:
    """Return True if a variable names an endpoint for a signal."""
    return env.text(_variable(signal, "ENDPOINT"), _ENDPOINT) is not None


def _variable(signal: Signal, name: str) -> str:
    return f"OTEL_EXPORTER_OTLP_{signal.upper()}_{name}"


def _signal_endpoints(env: Environment) -> dict[Signal, str]:
    urls: dict[Signal, str] = {}
    for signal in SIGNALS:
        url = env.text(_variable(signal, "ENDPOINT"))
        if url is not None:
            urls[signal] = url
    return urls


def _protocol(env: Environment, signal: Signal) -> str:
    return env.choice(
        _variable(signal, "PROTOCOL"),
        "OTEL_EXPORTER_OTLP_PROTOCOL",
        known=_PROTOCOLS,
        default=_PROTOCOLS[0],
    )


def _timeout(env: Environment, signal: Signal) -> float:
    return env.number(
        _variable(signal, "TIMEOUT"),
        "OTEL_EXPORTER_OTLP_TIMEOUT",
        default=10.0,
        minimum=0.001,
        maximum=3600,
    )
