"""Both ends of a pipeline of spans: a sender that knows what it was promised, a sink that counts.

A span is told by its number, so that what was lost, kept and doubled can be told apart.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from threading import Event, Lock, Thread
from typing import Any, NamedTuple, Self

import grpc
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import (
    TraceServiceServicer,
    add_TraceServiceServicer_to_server,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.trace import SpanContext, SpanKind, TraceFlags

NUMBER = "test.number"
OK = grpc.StatusCode.OK
_BATCH = 20
_PADDING = "x" * 100

Answer = Callable[[], grpc.StatusCode]


class Sink(TraceServiceServicer):  # type: ignore[misc]  # generated code carries no types
    """A backend over gRPC that counts how often each number came, and fails as it is told to."""

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        self.port = port
        self.host = host
        self.answer: Answer = lambda: OK
        self.delay = 0.0
        self.retry_after = 0
        """Milliseconds that a refused client is told to wait; 0 tells it nothing."""
        self.refused: set[int] = set()
        """Numbers that it would not have."""
        self._seen: Counter[int] = Counter()
        self._lock = Lock()
        self._server: grpc.Server | None = None

    def Export(self, request: ExportTraceServiceRequest, context: Any) -> Any:  # noqa: N802  # its name
        """Keep the spans, and then answer: a slow answer is not a lost span."""
        code = self.answer()
        numbers = list(_numbers(request))
        with self._lock:
            self._seen.update(numbers) if code == OK else self.refused.update(numbers)
        if self.delay:
            time.sleep(self.delay)
        if code != OK:
            context.abort_with_status(_refusal(code, self.retry_after))
        return ExportTraceServiceResponse()

    def start(self) -> Self:
        """Listen."""
        # Else two servers could share the port.
        server = grpc.server(ThreadPoolExecutor(8), options=[("grpc.so_reuseport", 0)])
        add_TraceServiceServicer_to_server(self, server)
        assert self.port == server.add_insecure_port(f"{self.host}:{self.port}")
        server.start()
        self._server = server
        return self

    def stop(self) -> None:
        """Break every connection, and refuse new ones."""
        if self._server is not None:
            self._server.stop(None).wait()
            self._server = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def stored(self) -> set[int]:
        """The numbers that came."""
        with self._lock:
            return set(self._seen)

    @property
    def doubled(self) -> int:
        """How many spans came once more than they should."""
        with self._lock:
            return self._seen.total() - len(self._seen)


class _Refusal(NamedTuple):
    code: grpc.StatusCode
    details: str
    trailing_metadata: tuple[tuple[str, bytes], ...]


class _GrpcRefusal(_Refusal, grpc.Status):  # type: ignore[misc]  # grpc carries no types
    """What `abort_with_status` takes."""


def _refusal(code: grpc.StatusCode, retry_after: int) -> Any:
    text = "as the test wants it"
    status = Status(code=code.value[0], message=text)
    if retry_after:
        wait = Duration(seconds=retry_after // 1000, nanos=retry_after % 1000 * 1_000_000)
        status.details.add().Pack(RetryInfo(retry_delay=wait))
    return _GrpcRefusal(code, text, (("grpc-status-details-bin", status.SerializeToString()),))


def _numbers(request: ExportTraceServiceRequest) -> Iterator[int]:
    for resource in request.resource_spans:
        for scope in resource.scope_spans:
            for span in scope.spans:
                yield from (a.value.int_value for a in span.attributes if a.key == NUMBER)


class Sender:
    """Sends numbered spans by the SDK's own exporter, retries and all, and notes its results."""

    def __init__(self, endpoint: str, *, timeout: float = 10, service: str = "sender") -> None:
        self._url = f"{endpoint}/v1/traces"
        self._timeout = timeout
        self._resource = Resource({"service.name": service})
        self._next = count(1)
        self._lock = Lock()
        self.sent: set[int] = set()
        self.accepted: set[int] = set()
        """Numbers that the other side has taken responsibility for."""
        self.given_up: set[int] = set()
        """Numbers that the exporter reports as failed."""

    def send(self, spans: int, *, batch: int = _BATCH) -> None:
        """Send so many, and return when the exporter is done with them."""
        exporter = OTLPSpanExporter(self._url, timeout=self._timeout)
        for first in range(0, spans, batch):
            self._export(exporter, min(batch, spans - first))
        exporter.shutdown()

    @contextmanager
    def load(self, threads: int = 2, pause: float = 0.01) -> Iterator[None]:
        """Send all the while that the context is open; at its end, every batch has its result."""
        stopping = Event()

        def work() -> None:
            exporter = OTLPSpanExporter(self._url, timeout=self._timeout)
            while not stopping.wait(pause):
                self._export(exporter, _BATCH)
            exporter.shutdown()

        workers = [Thread(target=work, daemon=True) for _ in range(threads)]
        for worker in workers:
            worker.start()
        try:
            yield
        finally:
            stopping.set()
            for worker in workers:
                worker.join()

    def _export(self, exporter: OTLPSpanExporter, spans: int) -> None:
        with self._lock:
            numbers = [next(self._next) for _ in range(spans)]
            self.sent.update(numbers)
        done = exporter.export([self._span(number) for number in numbers])
        with self._lock:
            (self.accepted if done is SpanExportResult.SUCCESS else self.given_up).update(numbers)

    def _span(self, number: int) -> ReadableSpan:
        """Each a trace of its own, and of such ids as traces have."""
        trace_id = (number * 0x9E3779B97F4A7C15F39CC0605CEDC835) % 2**128
        now = time.time_ns()
        return ReadableSpan(
            name="numbered",
            context=SpanContext(trace_id, number, is_remote=False, trace_flags=TraceFlags(1)),
            resource=self._resource,
            attributes={NUMBER: number, "test.padding": _PADDING},
            kind=SpanKind.SERVER,
            start_time=now - 1_000_000,
            end_time=now,
        )


def missing(sender: Sender, sinks: Iterable[Sink]) -> set[int]:
    """Numbers that were accepted and are in no sink."""
    return sender.accepted.difference(*(sink.stored for sink in sinks))
