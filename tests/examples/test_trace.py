from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from otel_meta.testing import OtlpReceiver

if TYPE_CHECKING:
    from tests.examples.conftest import Service, Start

REQUEST_ID = "order-of-ada"


class Journey(NamedTuple):
    """An order in two processes, and its trace."""

    sink: OtlpReceiver
    storefront: Service
    payments: Service
    trace_id: str
    """As the response names it."""
    span_id: str
    request_id: str

    def span(self, service: str, kind: Span.SpanKind.ValueType) -> Span:
        """Return the single span of a service and a kind in the trace."""
        (span,) = (s for name, s in self.spans() if name == service and s.kind == kind)
        return span

    def spans(self) -> list[tuple[str, Span]]:
        """Return all spans of the trace with their service."""
        wanted = bytes.fromhex(self.trace_id)
        return [(r.service_name, r.span) for r in self.sink.spans() if r.span.trace_id == wanted]

    def lines(self, service: Service, event: str) -> list[dict[str, Any]]:
        """Return the log lines of a service about an event in the trace."""
        return [line for line in service.lines_of(event) if line.get("trace_id") == self.trace_id]


@pytest.fixture(scope="module")
def journey(start: Start) -> Iterator[Journey]:
    """An order through storefront and payments, both with one OTLP endpoint."""
    with OtlpReceiver() as sink:
        otlp = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": sink.endpoint,
            "OTEL_BSP_SCHEDULE_DELAY": "100",
            "OTEL_BLRP_SCHEDULE_DELAY": "100",
            "OTEL_METRIC_EXPORT_INTERVAL": "200",
        }
        payments = start("examples/payments.py", **otlp)
        storefront = start("examples/storefront.py", PAYMENTS_URL=payments.url, **otlp)
        order = {"sku": "lamp", "amount_cents": 1999}
        answer = storefront.http.post("/orders", json=order, headers={"X-Request-ID": REQUEST_ID})
        _, trace_id, span_id, _ = answer.headers["server-timing"].split("-")
        request_id = answer.headers["x-request-id"]
        journey = Journey(sink, storefront, payments, trace_id, span_id, request_id)
        storefront.eventually(lambda: len(journey.spans()) >= 3)
        yield journey
        # Before the sink closes: at the end, both deliver what they still have.
        storefront.stop()
        payments.stop()


class TestTrace:
    def test_request_through_both_processes_is_one_trace_of_three_spans(
        self, journey: Journey
    ) -> None:
        """A request through both processes is one trace of three spans."""
        kinds = sorted((service, span.kind) for service, span in journey.spans())

        assert [
            ("payments", Span.SPAN_KIND_SERVER),
            ("storefront", Span.SPAN_KIND_SERVER),
            ("storefront", Span.SPAN_KIND_CLIENT),
        ] == kinds

    def test_payments_server_span_is_child_of_storefronts_client_span(
        self, journey: Journey
    ) -> None:
        """Payments' server span is the child of the storefront's client span."""
        root = journey.span("storefront", Span.SPAN_KIND_SERVER)
        client = journey.span("storefront", Span.SPAN_KIND_CLIENT)
        server = journey.span("payments", Span.SPAN_KIND_SERVER)

        assert b"" == root.parent_span_id
        assert root.span_id == client.parent_span_id
        assert client.span_id == server.parent_span_id
        assert ("POST /orders", "POST /payments") == (root.name, server.name)

    def test_response_has_ids_of_trace_and_storefronts_span_and_callers(
        self, journey: Journey
    ) -> None:
        """The response has the ids of the trace and the storefront's span, and the caller's id."""
        root = journey.span("storefront", Span.SPAN_KIND_SERVER)

        assert journey.span_id == root.span_id.hex()
        assert REQUEST_ID == journey.request_id


class TestLines:
    def test_log_lines_of_both_processes_have_trace_id_and_request(self, journey: Journey) -> None:
        """Log lines of both processes have the trace id, and the request id of their process."""
        (placed,) = journey.lines(journey.storefront, "order placed")
        (settled,) = journey.lines(journey.payments, "payment settled")

        assert REQUEST_ID == placed["request_id"]
        assert settled["request_id"] not in {"", REQUEST_ID}
        assert journey.span_id == placed["span_id"]
        assert journey.span("payments", Span.SPAN_KIND_SERVER).span_id.hex() == settled["span_id"]

    def test_access_log_lines_have_same_ids(self, journey: Journey) -> None:
        """Access log lines have the same ids."""
        (shop,) = journey.lines(journey.storefront, "request")
        (pay,) = journey.lines(journey.payments, "request")
        (settled,) = journey.lines(journey.payments, "payment settled")

        assert ("/orders", REQUEST_ID) == (shop["url_path"], shop["request_id"])
        assert ("/payments", settled["request_id"]) == (pay["url_path"], pay["request_id"])

    def test_log_lines_are_exported_as_records_of_same_trace(self, journey: Journey) -> None:
        """Log lines are exported as records of the same trace."""

        def bodies() -> set[str]:
            records = journey.sink.log_records()
            wanted = bytes.fromhex(journey.trace_id)
            return {r.body.string_value for r in records if r.trace_id == wanted}

        assert journey.storefront.eventually(
            lambda: {"order placed", "payment settled"} <= bodies()
        )


class TestMetrics:
    def test_both_services_export_their_own_metrics_and_http_metrics(
        self, journey: Journey
    ) -> None:
        """Both services export their own metrics and HTTP metrics."""
        expected = {
            "orders.placed",
            "events.processed",
            "http.client.request.duration",
            "http.server.request.duration",
        }

        assert journey.storefront.eventually(
            lambda: expected <= {metric.name for metric in journey.sink.metrics()}
        )

    def test_with_otlp_endpoint_metrics_is_off_and_slo_works(self, journey: Journey) -> None:
        """With an OTLP endpoint, /metrics is off and /slo works."""
        assert 404 == journey.storefront.http.get("/metrics").status_code
        assert "ok" == journey.storefront.slo("aurora-api-availability")["state"]
