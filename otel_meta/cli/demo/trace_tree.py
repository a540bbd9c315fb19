"""A trace as an indented tree."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from otel_meta.testing.otlp_receiver import ReceivedSpan

_NANOSECONDS_PER_MILLISECOND = 1e6


def trace_tree(spans: Iterable[ReceivedSpan]) -> str:
    """Render the spans of a trace below the parent spans, siblings by start time.

    A span without a received parent is a root.
    """
    ordered = sorted(spans, key=lambda received: received.span.start_time_unix_nano)
    ids = {received.span.span_id for received in ordered}
    children: dict[bytes, list[ReceivedSpan]] = defaultdict(list)
    for received in ordered:
        parent = received.span.parent_span_id
        children[parent if parent in ids else b""].append(received)
    return "\n".join(_lines(children, b"", 0))


def _lines(children: dict[bytes, list[ReceivedSpan]], parent: bytes, depth: int) -> Iterator[str]:
    for received in children[parent]:
        span = received.span
        nanoseconds = span.end_time_unix_nano - span.start_time_unix_nano
        duration = nanoseconds / _NANOSECONDS_PER_MILLISECOND
        yield f"{'  ' * depth}{received.service_name}: {span.name}  {duration:.1f} ms"
        yield from _lines(children, span.span_id, depth + 1)
