"""Requests of a chosen size, a kubelet with the probes of a manifest, and the size of a queue."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.backends.collector_server import Collector
from tests.backends.numbered_spans import NUMBER

OK = 200
_BLOCK = 512
"""Bytes of a block in the size of a file on disk."""
_HEADERS = {"Content-Type": "application/x-protobuf"}


def numbered_request(number: int, size: int) -> bytes:
    """Return a request with one span, of about the given size in bytes."""
    request = ExportTraceServiceRequest()
    span = request.resource_spans.add().scope_spans.add().spans.add()
    span.trace_id, span.span_id = random.randbytes(16), random.randbytes(8)
    span.name = "GET /"
    span.start_time_unix_nano = span.end_time_unix_nano = time.time_ns()
    numbered = span.attributes.add()
    numbered.key = NUMBER
    numbered.value.int_value = number
    padding = span.attributes.add()
    padding.key = "padding"
    padding.value.string_value = "x" * (size - len(request.SerializeToString()))
    return request.SerializeToString()


def log_request(_number: int, size: int) -> bytes:
    """Return a request with one log record, of about the given size in bytes."""
    request = ExportLogsServiceRequest()
    record = request.resource_logs.add().scope_logs.add().log_records.add()
    record.body.string_value = "x" * size
    return request.SerializeToString()


class Filling:
    """Fills a queue by requests of one size until the sidecar refuses.

    Args:
        sidecar: the Collector, whose backend is away.
        size: size of a request in bytes.
    """

    def __init__(self, sidecar: Collector, size: int) -> None:
        self.accepted: set[int] = set()
        self.refused: set[int] = set()
        self._sidecar = sidecar
        self._size = size
        self._number = 0

    def fill(self, path: str = "/v1/traces", refusals: int = 5) -> None:
        """Send until a number of requests in a row are refused."""
        make = log_request if "logs" in path else numbered_request
        connection = HTTPConnection("127.0.0.1", self._sidecar.ports["OTLP_HTTP"], timeout=30)
        in_a_row = 0
        while in_a_row < refusals:
            self._number += 1
            connection.request("POST", path, make(self._number, self._size), _HEADERS)
            response = connection.getresponse()
            response.read()
            in_a_row = 0 if response.status == OK else in_a_row + 1
            (self.refused if in_a_row else self.accepted).add(self._number)
        connection.close()


def disk_usage(folder: Path) -> int:
    """Return the bytes that the files of a folder take on the disk."""
    return sum(path.stat().st_blocks * _BLOCK for path in folder.iterdir())


def start_under_kubelet(collector: Collector, probe: Mapping[str, Any]) -> bool:
    """Start a Collector, and stop it if a probe fails as often as the manifest allows.

    Args:
        collector: a Collector that does not run.
        probe: the startup probe of a manifest; missing fields have the defaults of Kubernetes.

    Returns:
        True if the Collector became ready.
    """
    collector.start()
    for _ in range(probe.get("failureThreshold", 3)):
        if collector.is_ready():
            return True
        time.sleep(probe.get("periodSeconds", 10))
    collector.stop()
    return False
