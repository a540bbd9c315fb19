from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, Self

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import (
    RetryInfo,
)
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2

from otel_meta.runtime.signals import SIGNALS, Signal
from otel_meta.testing import OtlpReceiver
from tests.runtime.export.watched_exports import WatchedExport, logged, warning

Respond = Callable[[Any, grpc.ServicerContext], Any]

RESPONSES: Final[dict[Signal, tuple[Any, str]]] = {
    "traces": (trace_service_pb2.ExportTraceServiceResponse, "rejected_spans"),
    "metrics": (metrics_service_pb2.ExportMetricsServiceResponse, "rejected_data_points"),
    "logs": (logs_service_pb2.ExportLogsServiceResponse, "rejected_log_records"),
}
NAMES: Final = {"traces": "trace.v1.Trace", "metrics": "metrics.v1.Metrics", "logs": "logs.v1.Logs"}


class GrpcServer(grpc.GenericRpcHandler):
    """Answers the exports of a signal by a function; other methods are not implemented."""

    def __init__(self, signal: Signal, respond: Respond, port: int = 0) -> None:
        self.calls = 0
        self._method: Final = f"/opentelemetry.proto.collector.{NAMES[signal]}Service/Export"
        self._respond: Final = respond
        self._server: Final = grpc.server(ThreadPoolExecutor(2), handlers=[self])
        bound = self._server.add_insecure_port(f"127.0.0.1:{port}")
        self.url: Final = f"http://127.0.0.1:{bound}"

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        """Return the handler of a method."""
        if handler_call_details.method != self._method:
            return None
        return grpc.unary_unary_rpc_method_handler(self._answer)

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop(grace=None).wait()

    def _answer(self, request: bytes, context: grpc.ServicerContext) -> bytes:
        self.calls += 1
        return bytes(self._respond(request, context))


def accepting(signal: Signal, rejected: int = 0, text: str = "") -> Respond:
    """Return a function that accepts a batch, except for some items."""
    message, name = RESPONSES[signal]
    response = message()
    setattr(response.partial_success, name, rejected)
    response.partial_success.error_message = text
    return lambda *_: response.SerializeToString()


def refusing(code: grpc.StatusCode, details: str = "") -> Respond:
    """Return a function that refuses a batch."""

    def refuse(_request: Any, context: grpc.ServicerContext) -> None:
        context.abort(code, details)

    return refuse


def exported(signal: Signal, url: str, **variables: str) -> WatchedExport:
    """Return an exporter over gRPC."""
    return WatchedExport(signal, url, OTEL_EXPORTER_OTLP_PROTOCOL="grpc", **variables)


@pytest.fixture
def http_server() -> Iterator[OtlpReceiver]:
    """A receiver over HTTP."""
    with OtlpReceiver() as receiver:
        yield receiver


class TestAnswers:
    @pytest.mark.parametrize("signal", SIGNALS)
    def test_success_is_neither_logged_nor_counted(
        self, signal: Signal, caplog: pytest.LogCaptureFixture
    ) -> None:
        """An answer of success is neither logged nor counted."""
        with GrpcServer(signal, accepting(signal)) as server:
            export = exported(signal, server.url)

            assert (True, True) == (export.send(), export.send())
        assert (0.0, []) == (export.faults.count(), logged(caplog))

    @pytest.mark.parametrize("signal", SIGNALS)
    def test_rejected_items_are_counted_and_logged_once(
        self, signal: Signal, caplog: pytest.LogCaptureFixture
    ) -> None:
        """The rejected items of a batch are counted, and logged once with the receiver's text."""
        with GrpcServer(signal, accepting(signal, 2, "quota")) as server:
            export = exported(signal, server.url)

            assert (True, True) == (export.send(), export.send())
        message = warning(caplog)

        assert (4.0, 4.0) == (export.counted("rejected"), export.faults.count())
        assert message.startswith(f"{server.url} rejected 2 of 5 ")
        assert ": quota; " in message

    @pytest.mark.parametrize("signal", SIGNALS)
    @pytest.mark.parametrize(
        ("code", "details", "words"),
        [
            ("UNIMPLEMENTED", "unknown service", "receives no {signal} over OTLP"),
            (
                "UNIMPLEMENTED",
                'Decompressor is not installed for grpc-encoding "gzip"',
                "unset OTEL_EXPORTER_OTLP_COMPRESSION",
            ),
            ("UNAUTHENTICATED", "no token", "no token; set the credentials"),
            ("PERMISSION_DENIED", "", "check the credentials in OTEL_EXPORTER_OTLP_HEADERS"),
            ("INVALID_ARGUMENT", "bad tenant {x}", "INVALID_ARGUMENT bad tenant {{x}}"),
            ("INTERNAL", "", "INTERNAL"),
            ("UNAVAILABLE", "shutting down", "UNAVAILABLE shutting down"),
        ],
    )
    def test_refusal_is_counted_and_logged_once_with_cause(
        self,
        signal: Signal,
        code: str,
        details: str,
        words: str,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """A refusal counts all items, and is logged once with its cause."""
        with GrpcServer(signal, refusing(grpc.StatusCode[code], details)) as server:
            export = exported(signal, server.url)

            assert (False, False) == (export.send(), export.send())
        message = warning(caplog)

        assert (1.0 if signal == "metrics" else 5.0) * 2 == export.counted("undelivered")
        assert message.startswith(f"cannot export {signal} to {server.url}: {code}")
        assert words.format(signal=signal) in message

    def test_refusal_with_pause_is_sent_again_after_pause(self) -> None:
        """A batch that was refused with a pause is sent again after the pause."""
        status = Status(code=8)
        status.details.add().Pack(RetryInfo(retry_delay=Duration(nanos=1000)))
        accept = accepting("traces")

        def respond(request: Any, context: grpc.ServicerContext) -> Any:
            if server.calls > 2:
                return accept(request, context)
            context.set_trailing_metadata(
                (("grpc-status-details-bin", status.SerializeToString()),)
            )
            return context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "busy")

        with GrpcServer("traces", respond) as server:
            export = exported("traces", server.url, OTEL_EXPORTER_OTLP_TIMEOUT="20000")
            began = time.monotonic()

            assert export.send()
        assert (3, 0.0) == (server.calls, export.faults.count())
        assert time.monotonic() - began < 2  # the exporter's own pauses are 1 s and 2 s


class TestConnection:
    def test_server_of_http_is_logged_with_cure(
        self, http_server: OtlpReceiver, caplog: pytest.LogCaptureFixture
    ) -> None:
        """A server of HTTP at the endpoint is logged with a cure."""
        export = exported("traces", http_server.url)

        assert not export.send()
        assert "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf" in warning(caplog)
        assert 5.0 == export.counted("undelivered")

    def test_port_without_listener_is_logged_with_cure(
        self, closed_port: int, caplog: pytest.LogCaptureFixture
    ) -> None:
        """A port without a listener is logged with a cure."""
        export = exported("logs", f"http://127.0.0.1:{closed_port}")

        assert not export.send()
        assert "nobody listens there; start the receiver" in warning(caplog)

    def test_server_that_never_answers_is_logged_after_timeout(
        self, black_hole: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        """A server that never answers is logged after the timeout."""
        export = exported("metrics", black_hole)

        assert not export.send()
        assert "no answer within the timeout" in warning(caplog)

    def test_receiver_that_starts_after_failed_export_gets_next_batch(
        self, closed_port: int
    ) -> None:
        """A receiver that starts after a failed export gets the next batch at once."""
        export = exported("traces", f"http://127.0.0.1:{closed_port}")

        assert not export.send()
        with GrpcServer("traces", accepting("traces"), closed_port):
            assert export.send()
