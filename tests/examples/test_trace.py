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
    """One order on its way through two processes, and what came of it."""

    sink: OtlpReceiver
    storefront: Service
    payments: Service
    trace_id: str
    """As the response names it."""
    span_id: str
    request_id: str

    def span(self, service: str, kind: Span.SpanKind) -> Span:
        """The one span of a service's of this kind within the trace."""
        (span,) = (s for name, s in self.spans() if name == service and s.kind == kind)
        return span

    def spans(self) -> list[tuple[str, Span]]:
        """Every span of the trace, with its service."""
        wanted = bytes.fromhex(self.trace_id)
        return [(r.service_name, r.span) for r in self.sink.spans() if r.span.trace_id == wanted]

    def lines(self, service: Service, event: str) -> list[dict[str, Any]]:
        """What a service logged within the trace about an event."""
        return [line for line in service.lines_of(event) if line.get("trace_id") == self.trace_id]


@pytest.fixture(scope="module")
def journey(start: Start) -> Iterator[Journey]:
    """An order placed at the storefront and paid at payments; both export to one endpoint."""
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
        _, trace_id, span_id, _ = answer.headers["traceresponse"].split("-")
        request_id = answer.headers["x-request-id"]
        journey = Journey(sink, storefront, payments, trace_id, span_id, request_id)
        storefront.eventually(lambda: len(journey.spans()) >= 3)
        yield journey
        # Before the sink closes: at the end, both deliver what they still have.
        storefront.stop()
        payments.stop()


class TestTrace:
    def test_one(self, journey: Journey) -> None:
        """A request through both processes is one trace of three spans."""
        kinds = sorted((service, span.kind) for service, span in journey.spans())

        assert [
            ("payments", Span.SPAN_KIND_SERVER),
            ("storefront", Span.SPAN_KIND_SERVER),
            ("storefront", Span.SPAN_KIND_CLIENT),
        ] == kinds

    def test_linked(self, journey: Journey) -> None:
        """Payments' server span is the child of the storefront's client span."""
        root = journey.span("storefront", Span.SPAN_KIND_SERVER)
        client = journey.span("storefront", Span.SPAN_KIND_CLIENT)
        server = journey.span("payments", Span.SPAN_KIND_SERVER)

        assert b"" == root.parent_span_id
        assert root.span_id == client.parent_span_id
        assert client.span_id == server.parent_span_id
        assert ("POST /orders", "POST /payments") == (root.name, server.name)

    def test_response(self, journey: Journey) -> None:
        """The response names the trace and the storefront's span, and keeps the caller's id."""
        root = journey.span("storefront", Span.SPAN_KIND_SERVER)

        assert journey.span_id == root.span_id.hex()
        assert REQUEST_ID == journey.request_id


class TestLines:
    def test_ids(self, journey: Journey) -> None:
        """The lines of both processes carry the trace id, and each those of its own request."""
        (placed,) = journey.lines(journey.storefront, "order placed")
        (settled,) = journey.lines(journey.payments, "payment settled")

        assert REQUEST_ID == placed["request_id"]
        assert settled["request_id"] not in {"", REQUEST_ID}
        assert journey.span_id == placed["span_id"]
        assert journey.span("payments", Span.SPAN_KIND_SERVER).span_id.hex() == settled["span_id"]

    def test_access(self, journey: Journey) -> None:
        """So do uvicorn's own lines."""
        (shop,) = journey.lines(journey.storefront, "request")
        (pay,) = journey.lines(journey.payments, "request")
        (settled,) = journey.lines(journey.payments, "payment settled")

        assert ("/orders", REQUEST_ID) == (shop["url_path"], shop["request_id"])
        assert ("/payments", settled["request_id"]) == (pay["url_path"], pay["request_id"])

    def test_exported(self, journey: Journey) -> None:
        """The same lines are exported as records of the same trace."""

        def bodies() -> set[str]:
            records = journey.sink.log_records()
            wanted = bytes.fromhex(journey.trace_id)
            return {r.body.string_value for r in records if r.trace_id == wanted}

        assert journey.storefront.eventually(
            lambda: {"order placed", "payment settled"} <= bodies()
        )


class TestMetrics:
    def test_pushed(self, journey: Journey) -> None:
        """Both push their own metrics and the HTTP ones, the client's too."""
        expected = {
            "orders.placed",
            "events.processed",
            "http.client.request.duration",
            "http.server.request.duration",
        }

        assert journey.storefront.eventually(
            lambda: expected <= {metric.name for metric in journey.sink.metrics()}
        )

    def test_not_scraped(self, journey: Journey) -> None:
        """With an endpoint to push to, there is nothing to scrape, and SLOs are shown still."""
        assert 404 == journey.storefront.http.get("/metrics").status_code
        assert "ok" == journey.storefront.slo("aurora-api-availability")["state"]
