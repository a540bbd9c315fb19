"""The header ``traceparent`` of W3C Trace Context, https://www.w3.org/TR/trace-context-2/."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from opentelemetry.trace import TraceFlags

Parent = tuple[int, int, TraceFlags]
"""Trace id, span id and flags of the caller's span."""

_FIELDS: Final = re.compile(rb"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")
_LENGTH: Final = 55
"""Bytes of these fields; a later version may append more."""
_PRESENT_VERSION: Final = b"00"
_INVALID_VERSION: Final = b"ff"
_KNOWN_FLAGS: Final = TraceFlags.SAMPLED | TraceFlags.RANDOM_TRACE_ID
_FLAGS: Final = {b"%02x" % bits: TraceFlags(bits & _KNOWN_FLAGS) for bits in range(256)}
"""Flags without a meaning are not passed on."""


def parse_traceparent(values: Sequence[bytes]) -> Parent | None:
    """Return the parent from all ``traceparent`` headers of a request.

    Returns:
        None if there is no header, more than one, or a malformed one: the request begins a trace.
    """
    if len(values) != 1:
        return None
    value = values[0].strip(b" \t")
    match = _FIELDS.match(value)
    if match is None:
        return None
    version, trace_id, span_id, flags = match.groups()
    if version == _INVALID_VERSION or not _may_follow(version, value[_LENGTH:]):
        return None
    parent = (int(trace_id, 16), int(span_id, 16), _FLAGS[flags])
    return parent if parent[0] and parent[1] else None


def _may_follow(version: bytes, more: bytes) -> bool:
    return not more or (more.startswith(b"-") and version != _PRESENT_VERSION)
