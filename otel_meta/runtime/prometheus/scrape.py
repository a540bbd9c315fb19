"""/metrics of this process: declared, SDK and prometheus_client metrics on a page.

Imported only if metrics are exported to Prometheus; needs the extra ``prometheus``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from threading import local
from typing import Any, Final

from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics.export import MetricsData
from opentelemetry.sdk.resources import Resource
from prometheus_client import CollectorRegistry
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from otel_meta.model.self_metrics import UP, UP_DESCRIPTION
from otel_meta.runtime.births.zero_first import ZeroFirst
from otel_meta.runtime.fork import ForkSafeLock, reset_after_fork
from otel_meta.runtime.interruption import reraise_interruption
from otel_meta.runtime.multiprocess.process_series import WorkerProcessCollector
from otel_meta.runtime.multiprocess.reader import Owner
from otel_meta.runtime.recording.faults import OnFault, logger
from otel_meta.runtime.resource import IDENTITY

from .attributes import Labels, labels_of
from .client_collectors import ClientCollectors
from .declared_metrics import DeclaredMetrics, Families
from .families import Metadata, MetricFamily, SeriesFamily
from .handler import ScrapeHandler
from .metric_points import NumberPoint
from .negotiation import negotiate_format
from .page import CONFLICT, render_page
from .prometheus_client_bridge import IsolatingRegistry, MetricFamilyCollector
from .sdk_metrics import sdk_families
from .server import MetricsServer, PortSharing
from .text_format import OPENMETRICS, OPENMETRICS_CREATED, TextFormat
from .timed_collection import Source, TimedCollection

COLLECTION_TIMEOUT: Final = 5.0
"""Seconds to wait for a concurrent collection: half of Prometheus' default scrape timeout."""

SOURCE_TIMEOUT: Final = 3.0
"""Seconds to wait for the SDK's callbacks and for collectors of prometheus_client."""

_TARGET: Final = Metadata("target", "info", "Target metadata")
_UP: Final = Metadata(UP.replace(".", "_"), "gauge", UP_DESCRIPTION)


class PullReader(PrometheusMetricReader):
    """A `PrometheusMetricReader` with declared metrics and own rendering.

    Collects in `collect_sdk`. Results of other collections, such as a forced flush, are discarded.

    Args:
        families: returns the live instruments, at each collection.
        resource: the resource of the process; identity attributes become labels of all series.
        registry: gets the families too, for prometheus_client's own functions.
        on_fault: called for metrics left out.
        shared: True if the live instruments belong to all workers of the service. SDK metrics
            belong to this worker only, and are then left out.
        identity: attributes of the resource that become labels of all series.
        is_guest: True if the SDK metrics come from the provider of another library, which has a
            resource of its own.
    """

    def __init__(
        self,
        families: Families,
        resource: Resource,
        registry: CollectorRegistry,
        on_fault: OnFault,
        *,
        shared: bool = False,
        identity: Collection[str] = IDENTITY,
        is_guest: bool = False,
    ) -> None:
        super().__init__(registry=IsolatingRegistry())  # of the base class' renderer, unused here
        self._target: Final = labels_of(resource.attributes, ())
        self._on_fault: Final = on_fault
        self._shared: Final = shared
        self._is_guest: Final = is_guest
        self._has_warned = False
        attributes = resource.attributes.items()
        self._identity: Final = labels_of({k: v for k, v in attributes if k in identity}, ())
        self._declared: Final = DeclaredMetrics(families, self._identity, on_fault)
        self._thread_local: Final = local()  # each scraping thread has a collection of its own
        self._public_registry: Final = registry
        self._family_collector: Final = MetricFamilyCollector(
            lambda: self.families(self.collect_sdk(), self.declared_families()), on_fault
        )
        registry.register(self._family_collector)

    def declared_families(self, zero_first: ZeroFirst | None = None) -> list[MetricFamily]:
        """Return the families of declared metrics, with new series at zero if asked for."""
        return list(self._declared.families(zero_first))

    def families(
        self, collected: MetricsData | None, declared: Iterable[MetricFamily]
    ) -> Iterator[MetricFamily]:
        """Yield the families of the resource, of declared metrics and of the SDK.

        Args:
            collected: from `collect_sdk`.
            declared: from `declared_families`.
        """
        if collected is None or self._is_guest:
            yield _constant_one(_TARGET, self._target)
            yield _constant_one(_UP, self._identity)
        else:
            resource = collected.resource_metrics[0].resource
            yield _constant_one(_TARGET, labels_of(resource.attributes, ()))
        yield from declared
        if collected is not None:
            yield from sdk_families(collected, self._identity, self._on_fault)

    def collect_sdk(self) -> MetricsData | None:
        """Collect SDK metrics.

        Returns:
            None if there are no metrics, if an instrument's callback fails, or if the page belongs
            to all workers.
        """
        if self._has_warned:
            return None
        self._thread_local.received = None
        try:
            self.collect()
        except Exception as error:
            reraise_interruption(error)
            self._on_fault("/metrics", "collection", error)
        received: MetricsData | None = self._thread_local.received
        if received is None or not received.resource_metrics:
            return None
        if self._shared:
            self._warn_of_left_out(received)
            return None
        return received

    def shutdown(self, timeout_millis: float = 30_000, **kwargs: Any) -> None:
        """Unregister the families."""
        super().shutdown(timeout_millis, **kwargs)
        self._public_registry.unregister(self._family_collector)

    def _receive_metrics(
        self,
        metrics_data: MetricsData,
        timeout_millis: float = 10_000,  # noqa: ARG002  # part of the SDK's interface
        **_kwargs: Any,
    ) -> None:
        self._thread_local.received = metrics_data

    def _warn_of_left_out(self, collected: MetricsData) -> None:
        """Log the names of the SDK metrics missing on the page, once in the life of the reader."""
        scopes = (scope for each in collected.resource_metrics for scope in each.scope_metrics)
        names = {metric.name for scope in scopes for metric in scope.metrics} - {UP}
        if names:
            self._has_warned = True
            logger.warning(
                "/metrics is shared by all workers and leaves out metrics of a single worker: %s; "
                "push these with OTEL_EXPORTER_OTLP_ENDPOINT",
                ", ".join(sorted(names)),
            )


class Scrape:
    """The page of /metrics, for the application's own server and for `MetricsServer`.

    Args:
        families: returns the live instruments, at each scrape.
        resource: the resource of the process.
        on_fault: called for metrics left out.
        token: the bearer token of every scrape; None allows every request.
        owners: the living workers of the service, if the instruments belong to all workers.
        merge_prometheus_client: True adds the metrics of prometheus_client's default registry.
        created: True adds the start of each counter and histogram to OpenMetrics 1.0.
        collection_timeout: seconds to wait for a concurrent collection.
        source_timeout: seconds to wait for the SDK and for collectors of prometheus_client.
        identity: attributes of the resource that become labels of all series.
        is_guest: True if the reader is added to the provider of another library.
        zero_first: shows new series at zero to servers; None shows the value of every series.
    """

    def __init__(
        self,
        families: Families,
        resource: Resource,
        on_fault: OnFault,
        token: str | None = None,
        owners: Callable[[], Iterable[Owner]] | None = None,
        *,
        merge_prometheus_client: bool = False,
        created: bool = False,
        collection_timeout: float = COLLECTION_TIMEOUT,
        source_timeout: float = SOURCE_TIMEOUT,
        identity: Collection[str] = IDENTITY,
        is_guest: bool = False,
        zero_first: ZeroFirst | None = None,
    ) -> None:
        self._on_fault: Final = on_fault
        self._zero_first: Final = zero_first
        self._collection_timeout: Final = collection_timeout
        self._formats: Final = {OPENMETRICS: OPENMETRICS_CREATED} if created else {}
        self._collecting: Final = ForkSafeLock()
        self._conflicts: Final[set[tuple[str, str]]] = set()
        self.registry: Final = _registry(owners)
        self._clients: Final = ClientCollectors(
            self.registry,
            merge_default=merge_prometheus_client,
            shared=owners is not None,
            is_guest=is_guest,
        )
        self._timed: Final = TimedCollection(on_fault, source_timeout)
        self.reader: Final = PullReader(
            families,
            resource,
            self.registry,
            on_fault,
            shared=owners is not None,
            identity=identity,
            is_guest=is_guest,
        )
        self.handle: Final = ScrapeHandler(self._page, token).handle
        reset_after_fork(self)

    def after_fork(self) -> None:
        """Report conflicts again in a forked child, whose faults are counted from zero."""
        self._conflicts.clear()

    def render(self, accept: str = "", names: Collection[str] = ()) -> tuple[bytes, str]:
        """Return a page and the content type.

        Args:
            accept: an Accept header, for the choice of the format.
            names: names of families or samples, if the page is limited to these.
        """
        text_format = negotiate_format(accept)
        return self._page(text_format, names, False), text_format.content_type

    def listen(
        self, host: str, port: int, port_sharing: PortSharing = "exclusive"
    ) -> MetricsServer:
        """Serve the page on a separate port.

        Args:
            host: the address to listen on.
            port: the port; 0 for any free port.
            port_sharing: see `PortSharing`.

        Raises:
            PortInUse: another process listens on the port.
            ConfigurationError: the host is not an address of this machine, or access is denied.
        """
        return MetricsServer(self.handle, host, port, self._on_fault, port_sharing)

    def _page(self, text_format: TextFormat, names: Collection[str], for_server: bool) -> bytes:
        families = self._families(self._zero_first if for_server else None)
        shown = self._formats.get(text_format, text_format)
        return render_page(families, shown, self._report, names)

    def _families(self, zero_first: ZeroFirst | None) -> Iterable[MetricFamily]:
        """Collect all families under a lock: the reader would mix concurrent collections up."""
        if not self._collecting.acquire(timeout=self._collection_timeout):
            detail = "another scrape still collects; only declared metrics are shown"
            self._on_fault("/metrics", "busy", detail)
            return self.reader.families(None, self.reader.declared_families(zero_first))
        try:
            clients = self._clients.sources()
            sdk = Source(self.reader, "OpenTelemetry SDK", self.reader.collect_sdk)
            # This call finds the workers for the collectors.
            declared = self.reader.declared_families(zero_first)
            collected = self._timed.collect([sdk, *clients])
            own = self.reader.families(collected.get(sdk.key), declared)
            others = (each for source in clients for each in collected.get(source.key, ()))
            return [*own, *others]
        finally:
            self._collecting.release()

    def _report(self, source: str, reason: str, detail: object) -> None:
        """Report a fault; a conflict of names lasts, and is reported once."""
        if reason == CONFLICT:
            conflict = (source, str(detail))
            if conflict in self._conflicts:
                return
            self._conflicts.add(conflict)
        self._on_fault(source, reason, detail)


def _registry(owners: Callable[[], Iterable[Owner]] | None) -> IsolatingRegistry:
    """Return a registry with the collectors of platform and process, or of all workers."""
    registry = IsolatingRegistry()
    PlatformCollector(registry=registry)
    if owners is None:
        ProcessCollector(registry=registry)
        GCCollector(registry=registry)
    else:
        registry.register(WorkerProcessCollector(owners))
    return registry


def _constant_one(metadata: Metadata, labels: Labels) -> SeriesFamily:
    return SeriesFamily(metadata, {labels: NumberPoint(1.0, additive=False)})
