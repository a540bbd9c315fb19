from __future__ import annotations

from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from otel_meta.runtime.export.encoding.encoding_exporters import (
    SerializedRequest,
    encoding_exporter,
)
from otel_meta.testing import OtlpReceiver
from tests.runtime.export.encoding.test_trace_requests import span
from tests.runtime.export.test_otlp_grpc import GrpcServer, accepting
from tests.runtime.export.watched_exports import WatchedExport, warning


def encode_spans(spans: Any) -> str:
    """Stand for the encoder of a later version of the SDK."""
    return f"SDK {spans}"


class Exporter:
    """An exporter whose methods call the encoder by name, or do not."""

    def export(self, spans: str, *, suffix: str = "!") -> str:
        """Return the encoded spans."""
        return f"{encode_spans(spans)}{suffix}"

    def name(self) -> str:
        """Return a text without an encoder."""
        return "exporter"


class TestEncodingExporter:
    def test_methods_call_the_other_encoder(self) -> None:
        """Methods of the subclass call the other encoder, and those of the base the SDK's."""
        encoding = encoding_exporter(Exporter, lambda spans: f"own {spans}")()

        assert ("own a!", "own a?") == (encoding.export("a"), encoding.export("a", suffix="?"))
        assert ("SDK a!", "exporter") == (Exporter().export("a"), encoding.name())


class TestSerializedRequest:
    def test_request_has_methods_of_its_message(self) -> None:
        """A serialized request has every method and field of the message."""
        request = SerializedRequest([span()])
        message = ExportTraceServiceRequest.FromString(request.SerializePartialToString())

        assert message.ByteSize() == request.ByteSize()
        assert message.resource_spans == request.resource_spans


class TestDelivery:
    def test_lone_surrogate_reaches_receiver_over_http(self) -> None:
        """A batch with a lone surrogate in a name, which the SDK would lose, arrives over HTTP."""
        with OtlpReceiver() as receiver:
            assert WatchedExport("traces", receiver.endpoint).send_batch([span("\ud800")])

            assert ["?"] == [received.span.name for received in receiver.spans()]

    def test_lone_surrogate_reaches_receiver_over_grpc(self) -> None:
        """A batch with a lone surrogate in a name, which the SDK would lose, arrives over gRPC."""
        requests: list[Any] = []
        accept = accepting("traces")

        def keep(request: Any, context: Any) -> Any:
            requests.append(ExportTraceServiceRequest.FromString(request))
            return accept(request, context)

        with GrpcServer("traces", keep) as server:
            export = WatchedExport("traces", server.url, OTEL_EXPORTER_OTLP_PROTOCOL="grpc")

            assert export.send_batch([span("\ud800")])
        assert "?" == requests[0].resource_spans[0].scope_spans[0].spans[0].name

    def test_left_out_spans_are_counted_and_logged_once(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Spans that no message can contain are counted, logged once, and cost no others."""
        with OtlpReceiver() as receiver:
            export = WatchedExport("traces", receiver.endpoint)

            assert export.send_batch([span("first"), span(5), span(6)])
            assert ["first"] == [received.span.name for received in receiver.spans()]
        assert (2.0, 2.0) == (export.counted("unencodable"), export.faults.count())
        assert "TypeError" in warning(caplog)

    def test_left_out_span_of_failed_export_is_counted_once(self) -> None:
        """A span that is left out of an undelivered batch is not counted as undelivered."""
        with OtlpReceiver(status=400) as receiver:
            export = WatchedExport("traces", receiver.endpoint)

            assert not export.send_batch([span("first"), span(5)])
        assert (1.0, 1.0) == (export.counted("unencodable"), export.counted("undelivered"))
