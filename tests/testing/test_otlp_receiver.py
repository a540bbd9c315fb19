from __future__ import annotations

import gzip
from collections.abc import Iterator

import httpx
import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from otel_meta.testing import OtlpReceiver

SPANS = ExportTraceServiceRequest()
_resource = SPANS.resource_spans.add()
_resource.resource.attributes.add(key="service.name").value.string_value = "maps"
_resource.scope_spans.add().spans.add(name="drawing")
METRICS = ExportMetricsServiceRequest()
METRICS.resource_metrics.add().scope_metrics.add().metrics.add(name="atlas.tiles")
LOGS = ExportLogsServiceRequest()
LOGS.resource_logs.add().scope_logs.add().log_records.add().body.string_value = "drawn"


@pytest.fixture
def receiver() -> Iterator[OtlpReceiver]:
    """A receiver that listens."""
    with OtlpReceiver() as receiver:
        yield receiver


def post(receiver: OtlpReceiver, path: str, body: bytes, **headers: str) -> int:
    """Send a request, and return the status of the response."""
    return httpx.post(receiver.endpoint + path, content=body, headers=headers).status_code


class TestReceived:
    def test_spans_are_kept_with_name_of_their_service(self, receiver: OtlpReceiver) -> None:
        """Spans are kept with the name of their service."""
        assert 200 == post(receiver, "/v1/traces", SPANS.SerializeToString())
        assert [("maps", "drawing")] == [(s.service_name, s.span.name) for s in receiver.spans()]

    def test_metrics_of_each_export_are_kept(self, receiver: OtlpReceiver) -> None:
        """Metrics of each export are kept."""
        post(receiver, "/v1/metrics", METRICS.SerializeToString())
        post(receiver, "/v1/metrics", METRICS.SerializeToString())

        assert ["atlas.tiles", "atlas.tiles"] == [metric.name for metric in receiver.metrics()]

    def test_log_records_are_kept(self, receiver: OtlpReceiver) -> None:
        """Log records are kept."""
        post(receiver, "/v1/logs", LOGS.SerializeToString())

        assert ["drawn"] == [record.body.string_value for record in receiver.log_records()]

    def test_span_without_service_name_is_kept(self, receiver: OtlpReceiver) -> None:
        """A span without a service name is kept."""
        nobody = ExportTraceServiceRequest()
        nobody.resource_spans.add().scope_spans.add().spans.add(name="drawing")
        post(receiver, "/v1/traces", nobody.SerializeToString())

        assert [""] == [each.service_name for each in receiver.spans()]

    def test_compressed_requests_are_decompressed(self, receiver: OtlpReceiver) -> None:
        """Compressed requests are decompressed."""
        body = gzip.compress(SPANS.SerializeToString())
        post(receiver, "/v1/traces", body, **{"content-encoding": "gzip"})

        assert 1 == len(receiver.spans())


class TestStatus:
    def test_requests_are_dropped_while_status_is_not_200(self, receiver: OtlpReceiver) -> None:
        """Requests are dropped while the status is not 200."""
        receiver.status = 503
        refused = post(receiver, "/v1/traces", SPANS.SerializeToString())
        kept = len(receiver.spans())
        receiver.status = 200
        post(receiver, "/v1/traces", SPANS.SerializeToString())

        assert (503, 0, 1) == (refused, kept, len(receiver.spans()))


class TestPort:
    def test_receiver_listens_on_port_of_its_argument(self, closed_port: int) -> None:
        """The receiver listens on the port of its argument."""
        with OtlpReceiver(closed_port) as receiver:
            assert f"http://127.0.0.1:{closed_port}" == receiver.endpoint
            assert 200 == post(receiver, "/v1/traces", SPANS.SerializeToString())

    def test_closed_receiver_refuses_connections_and_keeps_its_spans(self) -> None:
        """A closed receiver refuses connections, and keeps its spans."""
        with OtlpReceiver() as receiver:
            post(receiver, "/v1/traces", SPANS.SerializeToString())

        with pytest.raises(httpx.ConnectError):
            post(receiver, "/v1/traces", SPANS.SerializeToString())
        assert 1 == len(receiver.spans())
