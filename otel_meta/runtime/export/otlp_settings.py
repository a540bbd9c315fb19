"""Settings of OTLP export, from OpenTelemetry's standard variables."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote

from otel_meta.errors import ConfigurationError
from otel_meta.runtime.environment.otlp_variables import (
    CERTIFICATE,
    CLIENT_CERTIFICATE,
    CLIENT_KEY,
    COMPRESSION,
    ENDPOINT,
    HEADER_PAIRS,
    INSECURE,
    PROTOCOL,
    TEMPORALITY,
    TIMEOUT_MILLIS,
    OtlpVariable,
)
from otel_meta.runtime.environment.sdk_variables import read_export_limits
from otel_meta.runtime.environment.variable import Environment, Variable
from otel_meta.runtime.signals import SIGNALS, Signal

from .otlp_endpoint import Endpoint, check_base, check_signal, shown

_SECONDS_LOOK: Final = 100
"""Below, a timeout in milliseconds was probably meant in seconds."""
_GRPC_KEY: Final = re.compile(r"[0-9a-z_.-]+(?<!-bin)")
_GRPC_COMPRESSION: Final = ("none", "gzip")


@dataclass(frozen=True, kw_only=True)
class OtlpSettings:
    """Settings of every OTLP exporter of this process; times in seconds."""

    endpoint: str | None = field(repr=False)
    """Base URL for all signals; None leaves the default of the SDK's exporters."""
    signal_endpoints: Mapping[Signal, str] = field(repr=False)
    """Complete URLs of single signals, to which no path is appended."""
    protocols: Mapping[Signal, str]
    timeouts: Mapping[Signal, float]
    temporality: str
    """A key of `PREFERENCES`: cumulative, delta or lowmemory."""
    variables: Mapping[str, str] = field(repr=False)
    """Checked variables for exporters. Timeouts are in seconds, as exporters in Python read it."""

    def has_endpoint(self, signal: Signal) -> bool:
        """Return True if an option or a variable names an endpoint for a signal."""
        return self.endpoint is not None or signal in self.signal_endpoints


def read_otlp_settings(env: Environment, endpoint: str | None) -> OtlpSettings:
    """Read the settings of OTLP export.

    Args:
        env: environment variables.
        endpoint: the option ``otlp_endpoint``; overrides every endpoint variable.

    Raises:
        ConfigurationError: the option cannot be an endpoint of the protocol.
    """
    protocols: dict[Signal, str] = {signal: PROTOCOL.read(env, signal) for signal in SIGNALS}
    if endpoint is None:
        base, urls = _base_from_variable(env, protocols), _signal_endpoints(env, protocols)
    else:
        base, urls = _base_from_option(env, endpoint, protocols), {}
    timeouts = _timeouts(env)
    return OtlpSettings(
        endpoint=base,
        signal_endpoints=urls,
        protocols=protocols,
        timeouts=timeouts,
        temporality=env.read(TEMPORALITY),
        variables={
            **_texts({ENDPOINT.general: base}),
            **_texts({ENDPOINT.signals[signal]: url for signal, url in urls.items()}),
            **_texts({TIMEOUT_MILLIS.signals[s]: str(timeouts[s]) for s in SIGNALS}),
            **_texts({k: v for s in SIGNALS for k, v in _transport(env, s, protocols[s]).items()}),
        },
    )


def _texts(values: Mapping[Variable[Any], str | None]) -> dict[str, str]:
    return {row.name: text for row, text in values.items() if text}


def _base_from_option(env: Environment, text: str, protocols: Mapping[Signal, str]) -> str:
    for protocol in dict.fromkeys(protocols.values()):
        found = check_base(text.strip(), protocol, is_insecure=env.read(INSECURE.general))
        if found.is_wrong:
            raise ConfigurationError(f"otlp_endpoint={shown(text)!r} {found.problem}")
        if found.problem:
            env.warnings.append(f"otlp_endpoint={shown(text)!r} {found.problem}")
    return text.strip()


def _base_from_variable(env: Environment, protocols: Mapping[Signal, str]) -> str | None:
    text = env.text(ENDPOINT.general.name)
    wanted = [p for signal, p in protocols.items() if not env.is_set(ENDPOINT.signals[signal])]
    used = text
    for protocol in dict.fromkeys(wanted if text else ()):
        found = check_base(text or "", protocol, is_insecure=env.read(INSECURE.general))
        used = _use(env, ENDPOINT.general.name, text or "", found)
    return used


def _signal_endpoints(env: Environment, protocols: Mapping[Signal, str]) -> dict[Signal, str]:
    urls: dict[Signal, str] = {}
    for signal, row in ENDPOINT.signals.items():
        text = env.text(row.name)
        if text is not None:
            is_insecure = INSECURE.read(env, signal)
            found = check_signal(text, signal, protocols[signal], is_insecure=is_insecure)
            url = _use(env, row.name, text, found)
            if url is not None:
                urls[signal] = url
    return urls


def _use(env: Environment, name: str, text: str, found: Endpoint) -> str | None:
    """Return the endpoint of a variable, with a warning if the text has a problem."""
    if found.problem:
        if found.url is None:
            used = "; ignoring it"
        else:
            used = f"; using {shown(found.url)}" if found.url != text else ""
        env.warnings.append(f"{name}={shown(text)!r} {found.problem}{used}")
    return found.url


def _timeouts(env: Environment) -> dict[Signal, float]:
    """Return the shorter of two bounds: of a request, and of a batch or a collection."""
    for row in TIMEOUT_MILLIS:
        millis = env.read(row)
        if millis < _SECONDS_LOOK:
            env.warnings.append(
                f"{row.name}={millis} means {millis} ms; for {millis} s, write {millis * 1000}"
            )
    limits = read_export_limits(env)
    return {s: min(TIMEOUT_MILLIS.read(env, s), limits[s]) / 1000 for s in SIGNALS}


def _transport(env: Environment, signal: Signal, protocol: str) -> dict[Variable[Any], str | None]:
    """Return variables of a single signal, which override variables of all signals."""
    headers = _headers(env, signal, protocol)
    values: dict[OtlpVariable[Any], str | None] = {
        HEADER_PAIRS: ",".join(f"{name}={quote(value, '')}" for name, value in headers.items()),
        COMPRESSION: _compression(env, signal, protocol),
        INSECURE: "true" if INSECURE.read(env, signal) else None,
        **_certificates(env, signal),
    }
    return {row.signals[signal]: text for row, text in values.items()}


def _headers(env: Environment, signal: Signal, protocol: str) -> Mapping[str, str]:
    """Return the headers; gRPC allows fewer characters in names, and refuses others at export."""
    headers = HEADER_PAIRS.read(env, signal)
    if protocol != "grpc":
        return headers
    for name in headers:
        if not _GRPC_KEY.fullmatch(name):
            env.warnings.append(
                f"{HEADER_PAIRS.general.name}: gRPC has no header {name!r}; use letters, digits "
                "and -._ without -bin at the end; ignoring it"
            )
    return {name: value for name, value in headers.items() if _GRPC_KEY.fullmatch(name)}


def _compression(env: Environment, signal: Signal, protocol: str) -> str | None:
    """Return the compression; gRPC's exporter refuses further names, also the name none."""
    compression = COMPRESSION.read(env, signal)
    if protocol != "grpc" or compression == "gzip":
        return compression
    if compression not in _GRPC_COMPRESSION:
        env.warnings.append(
            f"{COMPRESSION.general.name}={compression} is not a compression of gRPC; using none"
        )
    return None


def _certificates(env: Environment, signal: Signal) -> dict[OtlpVariable[Any], str | None]:
    certificate, key = CLIENT_CERTIFICATE.read(env, signal), CLIENT_KEY.read(env, signal)
    if key and not certificate:
        env.warnings.append(
            f"{CLIENT_KEY.general.name} has no effect without {CLIENT_CERTIFICATE.general.name}"
        )
        key = None
    return {
        CERTIFICATE: CERTIFICATE.read(env, signal),
        CLIENT_CERTIFICATE: certificate,
        CLIENT_KEY: key,
    }
