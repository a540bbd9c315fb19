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
def sink() -> Iterator[OtlpReceiver]:
    """A receiver."""
    with OtlpReceiver() as sink:
        yield sink


def post(sink: OtlpReceiver, path: str, body: bytes, **headers: str) -> int:
    """Send a request; the status that it is answered with."""
    return httpx.post(sink.endpoint + path, content=body, headers=headers).status_code


class TestReceived:
    def test_spans(self, sink: OtlpReceiver) -> None:
        """Spans are kept, with the service that they are of."""
        assert 200 == post(sink, "/v1/traces", SPANS.SerializeToString())
        assert [("maps", "drawing")] == [(s.service_name, s.span.name) for s in sink.spans()]

    def test_metrics(self, sink: OtlpReceiver) -> None:
        """So are metrics, each export's anew."""
        post(sink, "/v1/metrics", METRICS.SerializeToString())
        post(sink, "/v1/metrics", METRICS.SerializeToString())

        assert ["atlas.tiles", "atlas.tiles"] == [metric.name for metric in sink.metrics()]

    def test_logs(self, sink: OtlpReceiver) -> None:
        """So are log records."""
        post(sink, "/v1/logs", LOGS.SerializeToString())

        assert ["drawn"] == [record.body.string_value for record in sink.log_records()]

    def test_nameless(self, sink: OtlpReceiver) -> None:
        """A span of nobody's is kept, too."""
        nobody = ExportTraceServiceRequest()
        nobody.resource_spans.add().scope_spans.add().spans.add(name="drawing")
        post(sink, "/v1/traces", nobody.SerializeToString())

        assert [""] == [each.service_name for each in sink.spans()]

    def test_compressed(self, sink: OtlpReceiver) -> None:
        """What comes compressed is unpacked."""
        body = gzip.compress(SPANS.SerializeToString())
        post(sink, "/v1/traces", body, **{"content-encoding": "gzip"})

        assert 1 == len(sink.spans())


class TestStatus:
    def test_refused(self, sink: OtlpReceiver) -> None:
        """Told to refuse, it answers so and keeps nothing, until it is told otherwise."""
        sink.status = 503
        refused = post(sink, "/v1/traces", SPANS.SerializeToString())
        kept = len(sink.spans())
        sink.status = 200
        post(sink, "/v1/traces", SPANS.SerializeToString())

        assert (503, 0, 1) == (refused, kept, len(sink.spans()))


class TestPort:
    def test_given(self, closed_port: int) -> None:
        """It listens where it is told to."""
        with OtlpReceiver(closed_port) as sink:
            assert f"http://127.0.0.1:{closed_port}" == sink.endpoint
            assert 200 == post(sink, "/v1/traces", SPANS.SerializeToString())

    def test_closed(self) -> None:
        """Closed, it no longer listens, and what it got can still be looked at."""
        with OtlpReceiver() as sink:
            post(sink, "/v1/traces", SPANS.SerializeToString())

        with pytest.raises(httpx.ConnectError):
            post(sink, "/v1/traces", SPANS.SerializeToString())
        assert 1 == len(sink.spans())
