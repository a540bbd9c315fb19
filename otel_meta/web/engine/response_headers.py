"""Headers of a response: those that the engine reads, and the ids that the caller gets."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from opentelemetry.trace import SpanContext

from otel_meta.web.asgi import Header, Message

REQUEST_ID: Final = b"x-request-id"
SERVER_TIMING: Final = b"server-timing"
"""W3C Trace Context, https://w3c.github.io/trace-context/#trace-context-in-server-timing."""
TRACE_RESPONSE: Final = b"traceresponse"
"""An earlier draft of the same, in W3C Trace Context Level 2."""
CONTENT_LENGTH: Final = b"content-length"
CONTENT_TYPE: Final = b"content-type"
_ALLOWED_ORIGIN: Final = b"access-control-allow-origin"
_EXPOSED: Final = b"access-control-expose-headers"
_TIMING_ALLOWED: Final = b"timing-allow-origin"
_READ: Final = frozenset(
    {
        REQUEST_ID,
        TRACE_RESPONSE,
        CONTENT_LENGTH,
        CONTENT_TYPE,
        _ALLOWED_ORIGIN,
        _EXPOSED,
        _TIMING_ALLOWED,
    }
)


def copy_of_start(message: Message) -> Message:
    """Return a copy with the headers in a list: an iterator can be read once only."""
    return {**message, "headers": [*message.get("headers", ())]}


def read_headers(headers: Iterable[Header]) -> dict[bytes, bytes]:
    """Return the headers of a response that the engine reads, by name in lower case."""
    found: dict[bytes, bytes] = {}
    for name, value in headers:
        key = name if name in _READ else name.lower()
        if key in _READ:
            found[key] = value
    return found


def with_ids(
    headers: Iterable[Header], found: dict[bytes, bytes], ids: list[Header]
) -> list[Header]:
    """Return the headers with ids, which a browser may read if it may read the response.

    Args:
        headers: of the application; an id that it has set is kept.
        found: the result of `read_headers`.
        ids: the headers to add.
    """
    added = [header for header in ids if header[0] not in found]
    origin = found.get(_ALLOWED_ORIGIN)
    if origin is None:
        return [*headers, *added]
    return [*_expose(headers, [name for name, _ in ids]), *added, *_timing(found, origin)]


def trace_headers(span: SpanContext, *, traceresponse: bool) -> list[Header]:
    """Return the headers that name the server span; none if there is no span."""
    if not span.is_valid:
        return []
    text = f"00-{span.trace_id:032x}-{span.span_id:016x}-{span.trace_flags:02x}".encode("ascii")
    headers = [(SERVER_TIMING, b"trace;desc=" + text)]
    if traceresponse:
        headers.append((TRACE_RESPONSE, text))
    return headers


def _expose(headers: Iterable[Header], names: list[bytes]) -> list[Header]:
    """Add names to the header that lists what a script of another origin may read."""
    others: list[Header] = []
    listed: list[bytes] = []
    for header in headers:
        if header[0].lower() == _EXPOSED:
            listed.append(header[1])
        else:
            others.append(header)
    known = {name.strip().lower() for name in b",".join(listed).split(b",")}
    listed += [name for name in names if name not in known]
    return [*others, (_EXPOSED, b", ".join(listed))]


def _timing(found: dict[bytes, Any], origin: bytes) -> list[Header]:
    return [] if _TIMING_ALLOWED in found else [(_TIMING_ALLOWED, origin)]
