"""Span with its events, links and status in the wire format.

The field numbers are those of opentelemetry/proto/trace/v1/trace.proto, the content is that of the
SDK's encoder.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.trace import DEFAULT_TRACE_STATE, Link, SpanContext, SpanKind
from opentelemetry.trace.status import Status, StatusCode

from .any_values import CACHE_SIZE, LONGEST_CACHED, attributes_field
from .protobuf_wire import (
    delimited,
    delimited_tag,
    fixed32_tag,
    fixed64_field,
    fixed64_tag,
    text_field,
    varint,
    varint_field,
    varint_tag,
)

_TRACE_ID_SIZE: Final = 16
_SPAN_ID_SIZE: Final = 8

_TRACE_ID: Final = delimited_tag(1) + varint(_TRACE_ID_SIZE)
_SPAN_ID: Final = delimited_tag(2) + varint(_SPAN_ID_SIZE)
"""Fields of Span and of Link, before the id."""
_TRACE_STATE: Final = delimited_tag(3)
_PARENT_SPAN_ID: Final = delimited_tag(4) + varint(_SPAN_ID_SIZE)
_NAME: Final = delimited_tag(5)
_KIND: Final = varint_tag(6)
_START_TIME: Final = fixed64_tag(7)
_END_TIME: Final = fixed64_tag(8)
_ATTRIBUTES: Final = delimited_tag(9)
_DROPPED_ATTRIBUTES: Final = varint_tag(10)
_EVENTS: Final = delimited_tag(11)
_DROPPED_EVENTS: Final = varint_tag(12)
_LINKS: Final = delimited_tag(13)
_DROPPED_LINKS: Final = varint_tag(14)
_STATUS: Final = delimited_tag(15)
_FLAGS: Final = fixed32_tag(16)

_EVENT_TIME: Final = fixed64_tag(1)
_EVENT_NAME: Final = delimited_tag(2)
_EVENT_ATTRIBUTES: Final = delimited_tag(3)
_EVENT_DROPPED_ATTRIBUTES: Final = varint_tag(4)

_LINK_ATTRIBUTES: Final = delimited_tag(4)
_LINK_DROPPED_ATTRIBUTES: Final = varint_tag(5)
_LINK_FLAGS: Final = fixed32_tag(6)

_MESSAGE: Final = delimited_tag(2)
_CODE: Final = varint_tag(3)

_KINDS: Final[Mapping[SpanKind, bytes]] = {
    SpanKind.INTERNAL: _KIND + varint(1),
    SpanKind.SERVER: _KIND + varint(2),
    SpanKind.CLIENT: _KIND + varint(3),
    SpanKind.PRODUCER: _KIND + varint(4),
    SpanKind.CONSUMER: _KIND + varint(5),
}
_CODES: Final[Mapping[StatusCode, bytes]] = {
    code: varint_field(_CODE, code.value) for code in StatusCode
}
_PLAIN_STATUSES: Final[Mapping[StatusCode, bytes]] = {
    code: _STATUS + delimited(encoded) for code, encoded in _CODES.items()
}
"""Statuses without a description."""
_LOCAL: Final = (0x100).to_bytes(4, "little")
_REMOTE: Final = (0x300).to_bytes(4, "little")
"""SpanFlags: it is known whether the context came from another process, and it did."""


def encode_span(span: ReadableSpan) -> bytes:
    """Return a length-delimited Span."""
    context, parent = span.context, span.parent
    if context is None:
        raise ValueError("a span has no context")
    return delimited(
        b"".join(
            (
                _TRACE_ID + context.trace_id.to_bytes(_TRACE_ID_SIZE),
                _SPAN_ID + context.span_id.to_bytes(_SPAN_ID_SIZE),
                _trace_state(context),
                _PARENT_SPAN_ID + parent.span_id.to_bytes(_SPAN_ID_SIZE) if parent else b"",
                _name(span.name),
                _KINDS[span.kind],
                fixed64_field(_START_TIME, span.start_time),
                fixed64_field(_END_TIME, span.end_time),
                attributes_field(_ATTRIBUTES, span.attributes),
                varint_field(_DROPPED_ATTRIBUTES, span.dropped_attributes),
                b"".join([_event(event) for event in span.events]),
                varint_field(_DROPPED_EVENTS, span.dropped_events),
                b"".join([_link(link) for link in span.links]),
                varint_field(_DROPPED_LINKS, span.dropped_links),
                _status(span.status),
                _FLAGS + _flags(parent),
            )
        )
    )


def _trace_state(context: SpanContext) -> bytes:
    state = context.trace_state
    if state is DEFAULT_TRACE_STATE or not state:
        return b""
    return text_field(_TRACE_STATE, ",".join(f"{key}={value}" for key, value in state.items()))


def _flags(context: SpanContext | None) -> bytes:
    return _REMOTE if context and context.is_remote else _LOCAL


def _event(event: Event) -> bytes:
    return _EVENTS + delimited(
        fixed64_field(_EVENT_TIME, event.timestamp)
        + text_field(_EVENT_NAME, event.name)
        + attributes_field(_EVENT_ATTRIBUTES, event.attributes)
        + varint_field(_EVENT_DROPPED_ATTRIBUTES, event.dropped_attributes)
    )


def _link(link: Link) -> bytes:
    context = link.context
    return _LINKS + delimited(
        _TRACE_ID
        + context.trace_id.to_bytes(_TRACE_ID_SIZE)
        + _SPAN_ID
        + context.span_id.to_bytes(_SPAN_ID_SIZE)
        + attributes_field(_LINK_ATTRIBUTES, link.attributes)
        + varint_field(_LINK_DROPPED_ATTRIBUTES, link.dropped_attributes)
        + _LINK_FLAGS
        + _flags(context)
    )


def _name(name: str) -> bytes:
    return _short_name(name) if len(name) <= LONGEST_CACHED else text_field(_NAME, name)


@lru_cache(CACHE_SIZE)
def _short_name(name: str) -> bytes:
    return text_field(_NAME, name)


def _status(status: Status | None) -> bytes:
    if status is None:
        return b""
    if not status.description:
        return _PLAIN_STATUSES[status.status_code]
    return _STATUS + delimited(
        text_field(_MESSAGE, status.description) + _CODES[status.status_code]
    )
