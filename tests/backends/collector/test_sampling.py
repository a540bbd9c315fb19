"""Checks which traces a real gateway keeps."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import TraceServiceStub
from opentelemetry.proto.trace.v1.trace_pb2 import Status
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanKind

from otel_meta.testing.loopback import free_port
from otel_meta.testing.otlp_receiver import OtlpReceiver
from tests.backends.collector.collector_setup import (
    AURORA,
    FOREIGN,
    NEBULA,
    SENTINEL,
    send_to,
)
from tests.backends.collector_server import Collector
from tests.backends.numbered_spans import NUMBER, SpanSink
from tests.backends.otlp_clients import send_grpc, span
from tests.waiting import wait_until

CLIENT = SpanKind.CLIENT
CASES: dict[str, tuple[bool, Callable[[], ReadableSpan]]] = {
    "an error": (True, lambda: span("s", FOREIGN, error="")),
    "a broken stream": (True, lambda: span("s", NEBULA, error__type="StreamBroken")),
    "slower than the SLO's bound": (True, lambda: span("s", NEBULA, seconds=0.11)),
    "faster than the SLO's bound": (False, lambda: span("s", NEBULA, seconds=0.09)),
    "a slow client call": (False, lambda: span("s", NEBULA, seconds=0.2, kind=CLIENT)),
    "slow inference": (True, lambda: span("s", SENTINEL, seconds=0.6)),
    "quick inference": (False, lambda: span("s", SENTINEL, seconds=0.4)),
    "a slow query": (True, lambda: span("s", AURORA, seconds=0.06, kind=CLIENT)),
    "a request with quick queries": (False, lambda: span("s", AURORA, seconds=0.06)),
    "slow without an SLO": (False, lambda: span("s", FOREIGN, seconds=30)),
}


def trace_id_of(sent: ReadableSpan) -> bytes:
    """Return a span's trace id, as in OTLP."""
    context = sent.get_span_context()
    assert context is not None
    return context.trace_id.to_bytes(16)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Send all cases to a gateway that keeps 0 % of the rest; the names of the kept cases."""
    folder = tmp_path_factory.mktemp("gateway") / "gateway"
    spans = {name: make() for name, (_, make) in CASES.items()}
    with OtlpReceiver() as sink:
        variables: dict[str, Any] = {"DECISION_WAIT": "1s", "SAMPLING_PERCENT": 0}
        with Collector("gateway.yaml", folder, send_to(sink), **variables) as gateway:
            gateway.wait_until_ready()
            address = f"127.0.0.1:{gateway.ports['GATEWAY']}"
            send_grpc(address, *spans.values())
        # A gateway that is terminated samples and exports the waiting traces first.
        ids = {received.span.trace_id for received in sink.spans()}
    return {name for name, sent in spans.items() if trace_id_of(sent) in ids}


class TestSampling:
    @pytest.mark.parametrize("name", CASES)
    def test_gateway_keeps_traces_with_errors_or_bad_events(
        self, name: str, kept: set[str]
    ) -> None:
        """A gateway keeps a trace with an error or with a bad event of an SLO."""
        assert CASES[name][0] == (name in kept)

    def test_gateway_keeps_all_spans_of_trace_with_error(
        self, tmp_path: Path, sink: OtlpReceiver
    ) -> None:
        """A gateway keeps all spans of a trace with an error."""
        trace_id = random.getrandbits(128)
        spans = [
            span("good", AURORA, trace_id=trace_id),
            span("bad", NEBULA, error="", trace_id=trace_id),
        ]
        variables: dict[str, Any] = {"DECISION_WAIT": "1s", "SAMPLING_PERCENT": 0}
        with Collector("gateway.yaml", tmp_path / "g", send_to(sink), **variables) as gateway:
            gateway.wait_until_ready()
            for sent in spans:
                send_grpc(f"127.0.0.1:{gateway.ports['GATEWAY']}", sent)

        assert {"good", "bad"} == {received.span.name for received in sink.spans()}

    def test_gateway_keeps_set_percentage_of_rest(self, tmp_path: Path, sink: OtlpReceiver) -> None:
        """A gateway keeps the percentage of the rest that the variable sets."""
        variables: dict[str, Any] = {"DECISION_WAIT": "1s", "SAMPLING_PERCENT": 100}
        with Collector("gateway.yaml", tmp_path / "g", send_to(sink), **variables) as gateway:
            gateway.wait_until_ready()
            address = f"127.0.0.1:{gateway.ports['GATEWAY']}"
            send_grpc(address, *(span("fine", FOREIGN) for _ in range(50)))

        assert 50 == len(sink.spans())

    def test_burst_of_errors_is_stored_without_loss(self, tmp_path: Path) -> None:
        """A burst of traces with errors is stored without loss: none is dropped too early."""
        store = SpanSink(free_port())
        variables: dict[str, Any] = {
            "DECISION_WAIT": "8s",
            "SAMPLING_PERCENT": 0,
            "TRACE_STORE": f"127.0.0.1:{store.port}",
        }
        with store, Collector("gateway.yaml", tmp_path / "g", **variables) as gateway:
            gateway.wait_until_ready()
            with grpc.insecure_channel(f"127.0.0.1:{gateway.ports['GATEWAY']}") as channel:
                stub = make_stub(channel)
                for first in range(0, BURST, 1000):
                    stub.Export(errors(range(first, first + 1000)))
            wait_until(lambda: len(store.stored) == BURST, "traces are lost", timeout=60)

            assert 0 == gateway.total("processor_tail_sampling_sampling_trace_dropped_too_early")


make_stub: Any = TraceServiceStub
BURST = 60_000
"""Traces within a few seconds; the default of the processor is 50,000."""


def errors(numbers: range) -> ExportTraceServiceRequest:
    """Return traces of one span each, with errors."""
    request = ExportTraceServiceRequest()
    spans = request.resource_spans.add().scope_spans.add().spans
    for number in numbers:
        failed = spans.add(trace_id=random.randbytes(16), span_id=random.randbytes(8), name="GET /")
        failed.start_time_unix_nano = failed.end_time_unix_nano = time.time_ns()
        failed.status.code = Status.STATUS_CODE_ERROR
        failed.attributes.add(key=NUMBER).value.int_value = number
    return request
