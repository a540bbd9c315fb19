"""A receiver of OTLP, which keeps what it is sent and counts spans when asked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Final

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

_HOST: Final = "127.0.0.1"
_TRACES: Final = "/v1/traces"


class Receiver(ThreadingHTTPServer):
    """Accepts everything; the first part of a path is the name of the sender."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__((_HOST, 0), _Accepting)
        self.bodies: Final = defaultdict[str, list[bytes]](list)

    def endpoint(self, sender: str) -> str:
        """Return the value of ``OTEL_EXPORTER_OTLP_ENDPOINT`` for a sender."""
        return f"http://{_HOST}:{self.server_port}/{sender}"

    def spans(self, sender: str) -> int:
        """Return the number of spans that a sender has sent, and forget them."""
        bodies = self.bodies.pop(f"/{sender}{_TRACES}", [])
        return sum(_spans_in(body) for body in bodies)


@contextmanager
def receiver() -> Generator[Receiver]:
    """Receive on a free port in a thread."""
    with Receiver() as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


class _Accepting(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Keep the body of traces, and answer with an empty message of success."""
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.path.endswith(_TRACES) and isinstance(self.server, Receiver):
            self.server.bodies[self.path].append(body)
        self.send_response(200)
        self.send_header("content-type", "application/x-protobuf")
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base
        """Print no line a request."""


def _spans_in(body: bytes) -> int:
    request = ExportTraceServiceRequest.FromString(body)
    scopes = (scope for resource in request.resource_spans for scope in resource.scope_spans)
    return sum(len(scope.spans) for scope in scopes)
