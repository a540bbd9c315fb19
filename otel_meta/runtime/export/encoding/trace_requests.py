"""Requests of the trace service, in place of the SDK's encoder.

The SDK builds a message of protobuf for each attribute, and a JSON text of the resource for each
span. Here a span becomes bytes at once, and frequent attributes come from a cache. The field
numbers are those of opentelemetry/proto/trace/v1/trace.proto, resource/v1/resource.proto and
common/v1/common.proto.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from opentelemetry.exporter.otlp.proto.common import trace_encoder
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from otel_meta.runtime.export.attempts import current_attempt
from otel_meta.runtime.interruption import reraise_interruption

from .any_values import attributes_field
from .protobuf_wire import delimited, delimited_tag, text_field, varint
from .span_messages import encode_span

_RESOURCE_SPANS: Final = delimited_tag(1)

_HEAD: Final = delimited_tag(1)
_ITEMS: Final = delimited_tag(2)
_SCHEMA_URL: Final = delimited_tag(3)
"""Fields of ResourceSpans, whose items are scopes, and of ScopeSpans, whose items are spans."""

_RESOURCE_ATTRIBUTES: Final = delimited_tag(1)

_SCOPE_NAME: Final = delimited_tag(1)
_SCOPE_VERSION: Final = delimited_tag(2)
_SCOPE_ATTRIBUTES: Final = delimited_tag(3)


def encode_spans(spans: Sequence[ReadableSpan]) -> bytes:
    """Return a serialized ExportTraceServiceRequest.

    A span with something unexpected, such as an integer of more than 64 bits, is left to the SDK's
    encoder. Serialized requests can be joined: the second appends to the repeated fields.
    """
    groups = _Groups()
    others: list[bytes] = []
    for span in spans:
        try:
            groups.add(span)
        except Exception as error:
            reraise_interruption(error)
            others.append(_encode_by_sdk(span))
    return b"".join((groups.encoded(), *others))


def _encode_by_sdk(span: ReadableSpan) -> bytes:
    """Return the request for a span; nothing if the SDK cannot encode it, either.

    The SDK would lose the other spans of the batch as well.
    """
    try:
        request = trace_encoder.encode_spans([span]).SerializePartialToString()
        ExportTraceServiceRequest.FromString(request)  # raises if messages are nested too deeply
    except Exception as error:
        reraise_interruption(error)
        current_attempt("traces").leave_out(f"{type(error).__name__}: {error}")
        return b""
    return request


class _Header(NamedTuple):
    """What the spans of a resource or of a scope have in common."""

    head: bytes
    schema_url: bytes

    def around(self, items: Iterable[bytes]) -> list[bytes]:
        """Return a length-delimited ResourceSpans or ScopeSpans, in pieces."""
        pieces = [self.head, *items, self.schema_url]
        return [varint(sum(map(len, pieces))), *pieces]


class _Known(NamedTuple):
    """A resource and a scope, which keep the identity that is their key, and their spans."""

    resource: Resource
    scope: InstrumentationScope | None
    spans: list[bytes]


class _Groups:
    """Spans by resource and scope.

    Objects are compared by identity first, and by their encoding once in a batch: a comparison of
    resources by the SDK renders JSON texts. Pieces of bytes are joined once, at the end.
    """

    def __init__(self) -> None:
        self._known: Final[dict[tuple[int, int], _Known]] = {}
        self._resources: Final[dict[_Header, dict[_Header, list[bytes]]]] = {}

    def add(self, span: ReadableSpan) -> None:
        """Add a span."""
        encoded = encode_span(span)
        resource, scope = span.resource, span.instrumentation_scope
        key = id(resource), id(scope)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = _Known(resource, scope, self._spans(resource, scope))
        known.spans.append(_ITEMS + encoded)

    def encoded(self) -> bytes:
        """Return an ExportTraceServiceRequest."""
        return b"".join(
            piece
            for resource, scopes in self._resources.items()
            for piece in (_RESOURCE_SPANS, *resource.around(_scope_spans(scopes)))
        )

    def _spans(self, resource: Resource, scope: InstrumentationScope | None) -> list[bytes]:
        """Return the list for the spans of a resource and a scope."""
        resource_header, scope_header = _resource_header(resource), _scope_header(scope)
        return self._resources.setdefault(resource_header, {}).setdefault(scope_header, [])


def _scope_spans(scopes: Mapping[_Header, list[bytes]]) -> Iterator[bytes]:
    for scope, spans in scopes.items():
        yield _ITEMS
        yield from scope.around(spans)


def _resource_header(resource: Resource) -> _Header:
    head = attributes_field(_RESOURCE_ATTRIBUTES, resource.attributes)
    return _Header(_HEAD + delimited(head), text_field(_SCHEMA_URL, resource.schema_url))


def _scope_header(scope: InstrumentationScope | None) -> _Header:
    if not scope:
        return _Header(_HEAD + delimited(b""), b"")
    head = (
        text_field(_SCOPE_NAME, scope.name)
        + text_field(_SCOPE_VERSION, scope.version)
        + attributes_field(_SCOPE_ATTRIBUTES, scope.attributes)
    )
    return _Header(_HEAD + delimited(head), text_field(_SCHEMA_URL, scope.schema_url))
