"""A service in each of two clusters: one whose requests fail, and one whose requests succeed."""

from __future__ import annotations

import time
from collections.abc import Iterator

from tests.page_server import PageServer

FAILING, HEALTHY = "us1", "eu1"
CLUSTERS = (FAILING, HEALTHY)
NAMESPACE, SERVICE = "titan-microservices-mesh", "payments"
BAD_SHARE = 0.5
"""The share of failed requests in the failing cluster."""

RATE = 100
"""Requests a second in each cluster."""
_BOUNDS = ("0.005", "0.1", "10.0", "+Inf")


class ClusterServices(PageServer):
    """Serves the metrics of both clusters on a port; the path is the cluster's name."""

    def __init__(self) -> None:
        self._began: float | None = None
        self._ended: float | None = None
        super().__init__(lambda path: "".join(self.lines(path.strip("/"))).encode())

    def begin(self) -> None:
        """Begin with requests; before, all counters are zero."""
        self._began = time.monotonic()

    def end(self) -> None:
        """Receive no more requests."""
        self._ended = time.monotonic()

    @property
    def requests(self) -> int:
        """The requests of each cluster."""
        now = self._ended or time.monotonic()
        return 0 if self._began is None else int((now - self._began) * RATE)

    def lines(self, cluster: str) -> Iterator[str]:
        """Yield the exposition of a cluster."""
        requests = self.requests
        return _lines(requests, int(requests * BAD_SHARE) if cluster == FAILING else 0)


def _lines(requests: int, bad: int) -> Iterator[str]:
    identity = f'service_namespace="{NAMESPACE}",service_name="{SERVICE}"'
    yield f"# TYPE otel_meta_up gauge\notel_meta_up{{{identity}}} 1\n"
    yield "# TYPE http_server_request_duration_seconds histogram\n"
    yield from _histogram(f'{identity},http_response_status_code="200"', requests - bad)
    yield from _histogram(f'{identity},http_response_status_code="500",error_type="500"', bad)


def _histogram(labels: str, count: int) -> Iterator[str]:
    """Yield the lines of a histogram, all values of which are small."""
    name = "http_server_request_duration_seconds"
    yield from (f'{name}_bucket{{{labels},le="{bound}"}} {count}\n' for bound in _BOUNDS)
    yield f"{name}_sum{{{labels}}} {count / 1000}\n{name}_count{{{labels}}} {count}\n"
