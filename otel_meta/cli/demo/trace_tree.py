"""A trace as a tree in text."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from otel_meta.testing.otlp_sink import ReceivedSpan

_NANOSECONDS_A_MILLISECOND = 1e6


def trace_tree(spans: Iterable[ReceivedSpan]) -> str:
    """The spans of one trace, each below the one that caused it, in order of their start."""
    known = sorted(spans, key=lambda received: received.span.start_time_unix_nano)
    ids = {received.span.span_id for received in known}
    children: dict[bytes, list[ReceivedSpan]] = defaultdict(list)
    for received in known:
        parent = received.span.parent_span_id
        children[parent if parent in ids else b""].append(received)
    return "\n".join(_lines(children, b"", 0))


def _lines(children: dict[bytes, list[ReceivedSpan]], parent: bytes, depth: int) -> Iterator[str]:
    for received in children[parent]:
        span = received.span
        took = (span.end_time_unix_nano - span.start_time_unix_nano) / _NANOSECONDS_A_MILLISECOND
        indent = "  " * depth
        yield f"{indent}{received.service_name}: {span.name}  {took:.1f} ms"
        yield from _lines(children, span.span_id, depth + 1)
