"""Exporters of the SDK for spans, with the encoder of `trace_requests`.

The SDK's exporters call ``encode_spans`` of their module, and take no other encoder. A subclass has
copies of the methods that call it, in which the name stands for our encoder. If no method of a
later version calls it, that version encodes by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import FunctionType
from typing import Any, Final

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan

from .trace_requests import encode_spans

_ENCODER: Final = "encode_spans"


class SerializedRequest:
    """A request as bytes, with the methods of its message."""

    def __init__(self, spans: Sequence[ReadableSpan]) -> None:
        self._serialized: Final = encode_spans(spans)

    def SerializePartialToString(self) -> bytes:  # noqa: N802 - protobuf's
        """Return the bytes."""
        return self._serialized

    def __getattr__(self, name: str) -> Any:
        return getattr(ExportTraceServiceRequest.FromString(self._serialized), name)


def request_message(spans: Sequence[ReadableSpan]) -> ExportTraceServiceRequest:
    """Return a request as a message, which clients of gRPC serialize."""
    return ExportTraceServiceRequest.FromString(encode_spans(spans))


def encoding_exporter(exporter: type[Any], encode: Callable[..., Any]) -> type[Any]:
    """Return a subclass of an exporter of the SDK with another encoder of spans.

    Args:
        exporter: an exporter of any signal; only those of spans call the encoder.
        encode: makes a request of spans.
    """
    methods = {
        name: _copy(method, {_ENCODER: encode})
        for name, method in vars(exporter).items()
        if isinstance(method, FunctionType) and _ENCODER in method.__code__.co_names
    }
    return type(exporter.__name__, (exporter,), methods)


def _copy(method: FunctionType, names: dict[str, Any]) -> FunctionType:
    """Return a copy of a method in which global names stand for something else."""
    copied = FunctionType(
        method.__code__,
        method.__globals__ | names,
        method.__name__,
        method.__defaults__,
        method.__closure__,
    )
    copied.__kwdefaults__ = method.__kwdefaults__
    return copied
