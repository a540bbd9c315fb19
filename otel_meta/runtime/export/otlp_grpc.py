"""OTLP over gRPC: the SDK's exporters with a check of every answer.

The SDK's exporters ignore the response message, which names the rejected items. They make a channel
and a stub in a method of their own, again after each broken connection; that method is the only
place at which the response can be seen.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Final, NamedTuple

import grpc
from google.protobuf.message import DecodeError
from google.rpc.error_details_pb2 import (
    RetryInfo,
)
from google.rpc.status_pb2 import Status

from otel_meta.runtime.signals import Signal

from .attempts import DeliveryError, current_attempt
from .otlp_answers import note_partial_success, quoted

_USE_HTTP: Final = (
    "set OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf, or use the port of gRPC, by default 4317"
)
_TRANSIENT: Final = frozenset(
    {
        grpc.StatusCode.CANCELLED,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        grpc.StatusCode.ABORTED,
        grpc.StatusCode.OUT_OF_RANGE,
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DATA_LOSS,
    }
)
"""Codes of OTLP's specification for a later request."""


class _Cure(NamedTuple):
    code: grpc.StatusCode
    details: str
    """A part of the details, in lower case."""
    text: str
    """A format with ``signal``."""


_CURES: Final = (
    _Cure(grpc.StatusCode.UNAVAILABLE, "http/2", f"this is no server of gRPC; {_USE_HTTP}"),
    _Cure(grpc.StatusCode.UNAVAILABLE, "http1", f"this is no server of gRPC; {_USE_HTTP}"),
    _Cure(grpc.StatusCode.UNKNOWN, "http", f"this is no server of gRPC; {_USE_HTTP}"),
    _Cure(
        grpc.StatusCode.UNAVAILABLE,
        "refused",
        "nobody listens there; start the receiver, or correct the endpoint",
    ),
    _Cure(
        grpc.StatusCode.UNAVAILABLE,
        "handshake",
        "TLS fails; without TLS at the receiver, write http:// instead of https://",
    ),
    _Cure(
        grpc.StatusCode.UNIMPLEMENTED,
        "compress",
        "the receiver does not know the compression; unset OTEL_EXPORTER_OTLP_COMPRESSION",
    ),
    _Cure(
        grpc.StatusCode.UNIMPLEMENTED,
        "",
        "this server of gRPC receives no {signal} over OTLP; correct the endpoint",
    ),
    _Cure(
        grpc.StatusCode.UNAUTHENTICATED,
        "",
        "set the credentials in OTEL_EXPORTER_OTLP_HEADERS",
    ),
    _Cure(
        grpc.StatusCode.PERMISSION_DENIED,
        "",
        "check the credentials in OTEL_EXPORTER_OTLP_HEADERS",
    ),
    _Cure(
        grpc.StatusCode.DEADLINE_EXCEEDED,
        "",
        "no answer within the timeout; see OTEL_EXPORTER_OTLP_TIMEOUT",
    ),
)
_UNREACHABLE: Final = "failed to connect"


class _CheckedStub:
    """Stands between an exporter and its client: sends requests, and checks the answers."""

    def __init__(self, exporter: _Checking) -> None:
        self._exporter: Final = exporter

    def Export(self, request: Any, metadata: Any, timeout: float) -> Any:  # noqa: N802 - gRPC's
        """Send a batch, with retries until the timeout.

        Raises:
            DeliveryError: the batch was not delivered.
        """
        attempt = current_attempt(self._exporter.signal)
        attempt.address = self._exporter.address
        return attempt.deliver(partial(self._send, request, metadata), timeout)

    def _send(self, request: Any, metadata: Any, timeout: float) -> Any:
        signal = self._exporter.signal
        try:
            response = self._exporter.stub.Export(
                request=request, metadata=metadata, timeout=timeout
            )
        except grpc.RpcError as error:
            if error.code() is grpc.StatusCode.UNAVAILABLE:
                self._exporter.reconnect()
            raise explained(error, signal) from error
        note_partial_success(response, current_attempt(signal))
        return response


class _Checking:
    """The part of an exporter that puts a `_CheckedStub` before its client."""

    signal: Signal
    address: str
    stub: Any
    _channel: Any
    _client: Any

    def _initialize_channel_and_stub(self) -> None:
        exporter: Any = super()
        exporter._initialize_channel_and_stub()  # noqa: SLF001 - see the module's docstring
        self.stub, self._client = self._client, _CheckedStub(self)

    def reconnect(self) -> None:
        """Make a new channel: a channel waits long before it connects again."""
        self._channel.close()
        self._initialize_channel_and_stub()


def checked_exporter(exporter: type[Any], signal: Signal, address: str) -> type[Any]:
    """Return a subclass of an exporter of the SDK that checks every answer.

    Args:
        exporter: an exporter over gRPC.
        signal: the signal of the exporter.
        address: the endpoint for a log line.
    """
    attributes = {"signal": signal, "address": address}
    return type(exporter.__name__, (_Checking, exporter), attributes)


def explained(error: Any, signal: Signal) -> DeliveryError:
    """Return an error of gRPC with its cause in words."""
    code, details = error.code(), error.details() or ""
    cure = _cure(code, details.lower())
    answer = f"{code.name} {quoted(details)}".rstrip()
    return DeliveryError(
        "; ".join(filter(None, (answer, cure.format(signal=signal)))),
        is_transient=code in _TRANSIENT,
        is_unreachable=_UNREACHABLE in details,
        pause=_demanded_pause(error),
    )


def _cure(code: grpc.StatusCode, details: str) -> str:
    rows = (row for row in _CURES if row.code is code and row.details in details)
    return next((row.text for row in rows), "")


def _demanded_pause(error: Any) -> float | None:
    """Return the seconds of RetryInfo, which the receiver sends with or without a status."""
    metadata: dict[str, Any] = dict(error.trailing_metadata() or ())
    info = RetryInfo()
    try:
        if "google.rpc.retryinfo-bin" in metadata:
            info.ParseFromString(metadata["google.rpc.retryinfo-bin"])
        else:
            status = Status.FromString(metadata.get("grpc-status-details-bin", b""))
            next(detail for detail in status.details if detail.Unpack(info))
    except (DecodeError, StopIteration):
        return None
    delay = info.retry_delay
    return float(delay.seconds + delay.nanos / 1e9)
