from __future__ import annotations

from itertools import permutations

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from otel_meta.cli.demo.trace_tree import trace_tree
from otel_meta.testing.otlp_receiver import ReceivedSpan


def span(
    service: str, name: str, number: int, parent: int = 0, *, began: float, took: float
) -> ReceivedSpan:
    """Return a span with its start and duration in milliseconds."""
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
    def test_each_span_is_below_its_parent_ordered_by_start(
        self, spans: tuple[ReceivedSpan, ...]
    ) -> None:
        """Each span is below its parent, ordered by start, for any order of arrival."""
        assert [
            "storefront: POST /orders  10.1 ms",
            "  storefront: POST  5.7 ms",
            "    payments: POST /payments  4.0 ms",
            "  storefront: UPDATE  0.0 ms",
        ] == trace_tree(spans).splitlines()

    def test_span_without_its_parent_is_root(self) -> None:
        """A span without its parent is a root."""
        assert [
            "storefront: POST  5.7 ms",
            "  payments: POST /payments  4.0 ms",
            "storefront: UPDATE  0.0 ms",
        ] == trace_tree(ORDER[1:]).splitlines()

    def test_tree_of_no_spans_is_empty(self) -> None:
        """The tree of no spans is empty."""
        assert "" == trace_tree([])
