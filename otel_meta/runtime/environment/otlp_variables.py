"""Variables of OTLP export: one for all signals, and one for each signal that overrides it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, Generic, TypeVar

from otel_meta.runtime.signals import SIGNALS, Signal

from .value_kinds import FILE, FLAG, HEADERS, TEXT, TIMEOUT, Kind, choice
from .variable import Environment, Variable

T = TypeVar("T")


class OtlpVariable(Generic[T]):
    """The variables of one setting.

    Args:
        suffix: the end of the names, such as ``TIMEOUT``.
        kind: the kind of the values.
        default: the value without a variable.
        effect: a description for the documents.
        default_text: a description of the default, if the default is not a constant.
    """

    def __init__(
        self, suffix: str, kind: Kind[Any], default: T, effect: str, default_text: str = ""
    ) -> None:
        def row(infix: str) -> Variable[T]:
            name = f"OTEL_EXPORTER_OTLP_{infix}{suffix}"
            return Variable(name, kind, default, effect, default_text)

        self.general: Final = row("")
        self.signals: Final[Mapping[Signal, Variable[T]]] = {
            signal: row(f"{signal.upper()}_") for signal in SIGNALS
        }

    def read(self, env: Environment, signal: Signal) -> T:
        """Return the value for a signal."""
        return env.read(self.signals[signal], env.read(self.general))

    def __iter__(self) -> Iterator[Variable[T]]:
        return iter((self.general, *self.signals.values()))


ENDPOINT: Final[OtlpVariable[str | None]] = OtlpVariable(
    "ENDPOINT",
    TEXT,
    None,
    "option `otlp_endpoint`; the URL of one signal is complete, and no path is appended",
    "`http://localhost:4318`, or `:4317` for gRPC",
)
PROTOCOL: Final[OtlpVariable[str]] = OtlpVariable(
    "PROTOCOL", choice("http/protobuf", "grpc"), "http/protobuf", "protocol of the exporter"
)
TIMEOUT_MILLIS: Final[OtlpVariable[int]] = OtlpVariable(
    "TIMEOUT", TIMEOUT, 10_000, "maximum duration of an export with its retries; 0 for no limit"
)
HEADER_PAIRS: Final[OtlpVariable[dict[str, str]]] = OtlpVariable(
    "HEADERS", HEADERS, {}, "headers of each request; values never stand in a log", "none"
)
COMPRESSION: Final[OtlpVariable[str]] = OtlpVariable(
    "COMPRESSION",
    choice("none", "gzip", "deflate"),
    "none",
    "compression of requests; gRPC has no deflate",
)
CERTIFICATE: Final[OtlpVariable[str | None]] = OtlpVariable(
    "CERTIFICATE",
    FILE,
    None,
    "certificate of the server's authority",
    "certificates of the system",
)
CLIENT_KEY: Final[OtlpVariable[str | None]] = OtlpVariable(
    "CLIENT_KEY", FILE, None, "key of the client certificate", "none"
)
CLIENT_CERTIFICATE: Final[OtlpVariable[str | None]] = OtlpVariable(
    "CLIENT_CERTIFICATE", FILE, None, "certificate of this client", "none"
)
INSECURE: Final[OtlpVariable[bool]] = OtlpVariable(
    "INSECURE", FLAG, False, "true for gRPC without TLS, if the endpoint has no scheme"
)
TEMPORALITY: Final = Variable(
    "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE",
    choice("cumulative", "delta", "lowmemory"),
    "cumulative",
    "temporality of exported metrics",
)

OTLP_VARIABLES: Final[tuple[Variable[Any], ...]] = (
    *ENDPOINT,
    *PROTOCOL,
    *TIMEOUT_MILLIS,
    *HEADER_PAIRS,
    *COMPRESSION,
    *CERTIFICATE,
    *CLIENT_KEY,
    *CLIENT_CERTIFICATE,
    *INSECURE,
    TEMPORALITY,
)
