"""/metrics in this process: the ecosystem's reader with the accumulators' points, and its own port.

Imported only where Prometheus export is asked for; needs the extra ``prometheus``.
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from threading import Lock
from typing import Any, Final

from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics.export import MetricsData
from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.exposition import choose_encoder
from prometheus_client.gc_collector import GCCollector
from prometheus_client.metrics_core import Metric
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from otel_meta.errors import ConfigurationError, PortInUse

from .accumulators import Accumulators
from .points import with_accumulators
from .resource import IDENTITY


class CatalogReader(PrometheusMetricReader):
    """Collects on each scrape; every series carries service_name and service_namespace."""

    def __init__(self, accumulators: Accumulators, registry: CollectorRegistry) -> None:
        super().__init__(
            scope_info_enabled=False,
            resource_attribute_filter=IDENTITY.__contains__,
            registry=registry,
        )
        self._accumulators: Final = accumulators

    def _receive_metrics(
        self, metrics_data: MetricsData, timeout_millis: float = 10_000, **kwargs: Any
    ) -> None:
        joined = with_accumulators(metrics_data, self._accumulators)
        super()._receive_metrics(joined, timeout_millis, **kwargs)


class Scrape:
    """What a scrape is answered with, whether by the app or on a port of its own."""

    def __init__(self, accumulators: Accumulators) -> None:
        self.registry: Final = _OneAtATime()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        self.reader: Final = CatalogReader(accumulators, self.registry)

    def render(self, accept: str) -> tuple[bytes, str]:
        """The exposition in the format that an Accept header asks for, and its content type."""
        encode, content_type = _negotiated(accept)
        return encode(self.registry), content_type

    def listen(self, host: str, port: int) -> Port:
        """Answer on a port of its own as well, 0 for any free one.

        Raises:
            PortInUse: somebody listens there already.
        """
        return Port(self.registry, host, port)


class Port:
    """A port of its own for /metrics."""

    def __init__(self, registry: CollectorRegistry, host: str, port: int) -> None:
        try:
            self._server, self._thread = start_http_server(port, host, registry)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise PortInUse(host, port) from error
            raise ConfigurationError(f"cannot serve /metrics on {host}:{port}: {error}") from error
        self.host: Final = host
        self.number: Final[int] = self._server.server_port

    def close(self, timeout: float) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout)


def _negotiated(accept: str) -> tuple[Callable[[CollectorRegistry], bytes], str]:
    """The encoder for an Accept header; the plain text format for one that makes no sense."""
    try:
        encode, content_type = choose_encoder(accept)
    except Exception:
        return choose_encoder("")
    return (encode, content_type) if content_type.isprintable() else choose_encoder("")


class _OneAtATime(CollectorRegistry):
    """The stock reader hands overlapping scrapes each other's families; here they queue."""

    def __init__(self) -> None:
        super().__init__(auto_describe=False)
        self._scraping: Final = Lock()

    def collect(self) -> Any:
        with self._scraping:
            families: list[Metric] = list(super().collect())
        return iter(families)
