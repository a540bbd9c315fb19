from __future__ import annotations

from itertools import permutations

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from otel_meta.cli.demo.trace_tree import trace_tree
from otel_meta.testing.otlp_receiver import ReceivedSpan


def span(
    service: str, name: str, number: int, parent: int = 0, *, began: float, took: float
) -> ReceivedSpan:
    """A span that began and lasted so many milliseconds."""
    return ReceivedSpan(
        service,
        Span(
            name=name,
            trace_id=b"t" * 16,
            span_id=number.to_bytes(8),
            parent_span_id=parent.to_bytes(8) if parent else b"",
            start_time_unix_nano=round(began * 1e6),
            end_time_unix_nano=round((began + took) * 1e6),
        ),
    )


ORDER = (
    span("storefront", "POST /orders", 1, began=0, took=10.06),
    span("storefront", "POST", 2, parent=1, began=2, took=5.7),
    span("payments", "POST /payments", 3, parent=2, began=3, took=4),
    span("storefront", "UPDATE", 4, parent=1, began=8, took=0.04),
)


class TestTraceTree:
    @pytest.mark.parametrize("spans", list(permutations(ORDER)))
    def test_tree(self, spans: tuple[ReceivedSpan, ...]) -> None:
        """Each span stands below the one that caused it, by its start, however they arrived."""
        assert [
            "storefront: POST /orders  10.1 ms",
            "  storefront: POST  5.7 ms",
            "    payments: POST /payments  4.0 ms",
            "  storefront: UPDATE  0.0 ms",
        ] == trace_tree(spans).splitlines()

    def test_orphan(self) -> None:
        """A span whose cause has not arrived is not lost: it stands by itself."""
        assert [
            "storefront: POST  5.7 ms",
            "  payments: POST /payments  4.0 ms",
            "storefront: UPDATE  0.0 ms",
        ] == trace_tree(ORDER[1:]).splitlines()

    def test_nothing(self) -> None:
        """No spans, no tree."""
        assert "" == trace_tree([])
