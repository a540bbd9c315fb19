"""/metrics in this process: catalogue, SDK and prometheus_client on one page.

Imported only where Prometheus export is asked for; needs the extra ``prometheus``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from threading import Lock, local
from typing import Any, Final

from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics.export import MetricsData
from opentelemetry.sdk.resources import Resource
from prometheus_client import CollectorRegistry
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from otel_meta.model.self_metrics import UP, UP_DESCRIPTION
from otel_meta.runtime.fork import reset_after_fork
from otel_meta.runtime.multiprocess.process_series import WorkerProcessCollector
from otel_meta.runtime.multiprocess.reader import Owner
from otel_meta.runtime.recording.faults import logger
from otel_meta.runtime.resource import IDENTITY

from .attributes import Labels, labels_of
from .client import FamilyCollector, Registry
from .declared_metrics import DeclaredMetrics, FamilyLike
from .families import Head, MetricFamily, SeriesFamily
from .formats import Format
from .handler import ScrapeHandler
from .negotiation import format_for
from .page import render
from .samples import Number
from .sdk_metrics import OnFault, families_of
from .server import Others, Port

Families = Callable[[], Iterable[FamilyLike]]

_PATIENCE: Final = 5.0
"""Seconds that a scrape waits for another to collect: half of what Prometheus waits by default."""

_TARGET: Final = Head("target", "info", "Target metadata")
_UP: Final = Head(UP.replace(".", "_"), "gauge", UP_DESCRIPTION)


class CatalogReader(PrometheusMetricReader):
    """The ecosystem's reader, with the catalogue's series and with names and labels kept apart.

    Collects when it is asked for its families, or a registry is that it was given. What is
    collected at any other time, as by a forced flush, is forgotten.

    Args:
        families: the catalogue's live instruments, at each collection.
        resource: who the process is; every series carries service_name and service_namespace.
        registry: where the families are registered too, for prometheus_client's own functions.
        on_fault: is told of what cannot be collected or exposed.
        shared: the catalogue's numbers are those of all workers of the service. What the SDK has
            are those of this one, and is left out.
    """

    def __init__(
        self,
        families: Families,
        resource: Resource,
        registry: CollectorRegistry,
        on_fault: OnFault,
        *,
        shared: bool = False,
    ) -> None:
        super().__init__(registry=CollectorRegistry())  # the stock renderer's, which nobody asks
        self._resource: Final = resource
        self._on_fault: Final = on_fault
        self._shared: Final = shared
        self._has_said = False
        known = {key: text for key, text in resource.attributes.items() if key in IDENTITY}
        self._identity: Final = labels_of(known, ())
        self._catalogue: Final = DeclaredMetrics(families, self._identity, on_fault)
        self._here: Final = local()  # what a thread has collected is that thread's
        self._shown_in: Final = registry
        self._shown: Final = FamilyCollector(self.families, on_fault)
        registry.register(self._shown)

    def families(self, *, collect: bool = True) -> Iterator[MetricFamily]:
        """Every family of the resource, the catalogue and, if it is to collect, the SDK."""
        collected = self._collected() if collect and not self._has_said else None
        if self._shared and collected is not None:
            self._say_what_is_left_out(collected)
            collected = None
        if collected is None:
            yield _one(_TARGET, labels_of(self._resource.attributes, ()))
            yield _one(_UP, self._identity)
        else:
            yield _one(_TARGET, labels_of(collected.resource_metrics[0].resource.attributes, ()))
        yield from self._catalogue.families()
        if collected is not None:
            yield from families_of(collected, self._identity, self._on_fault)

    def _say_what_is_left_out(self, collected: MetricsData) -> None:
        scopes = (scope for every in collected.resource_metrics for scope in every.scope_metrics)
        names = {metric.name for scope in scopes for metric in scope.metrics} - {UP}
        if names:
            self._has_said = True
            logger.warning(
                "/metrics is that of all workers and leaves out what is one's alone: %s; "
                "have these pushed, with OTEL_EXPORTER_OTLP_ENDPOINT",
                ", ".join(sorted(names)),
            )

    def shutdown(self, timeout_millis: float = 30_000, **kwargs: Any) -> None:
        """Leave the registry."""
        super().shutdown(timeout_millis, **kwargs)
        self._shown_in.unregister(self._shown)

    def _collected(self) -> MetricsData | None:
        """What the SDK has; None if it fails, which one foreign instrument is enough for."""
        self._here.received = None
        try:
            self.collect()
        except Exception as error:
            self._on_fault("/metrics", "collection", error)
        received: MetricsData | None = self._here.received
        return received if received is not None and received.resource_metrics else None

    def _receive_metrics(
        self,
        metrics_data: MetricsData,
        timeout_millis: float = 10_000,  # noqa: ARG002  # it is the SDK that calls
        **_kwargs: Any,
    ) -> None:
        self._here.received = metrics_data


class Scrape:
    """What a scrape is answered with, whether by the app or on a port of its own.

    Args:
        families: the catalogue's live instruments, at each scrape.
        resource: who the process is.
        on_fault: is told of what cannot be shown.
        token: what a scrape has to bear; None lets everybody in.
        owners: the living workers of the service, if the families are those of all of them.
    """

    def __init__(
        self,
        families: Families,
        resource: Resource,
        on_fault: OnFault,
        token: str | None = None,
        owners: Callable[[], Iterable[Owner]] | None = None,
    ) -> None:
        self._on_fault: Final = on_fault
        self._one_at_a_time = Lock()
        self.registry: Final = Registry(on_fault)
        PlatformCollector(registry=self.registry)
        if owners is None:
            ProcessCollector(registry=self.registry)
            GCCollector(registry=self.registry)
        else:
            self.registry.register(WorkerProcessCollector(owners))
        self.reader: Final = CatalogReader(
            families, resource, self.registry, on_fault, shared=owners is not None
        )
        self.answer: Final = ScrapeHandler(self._pieces, token).to
        reset_after_fork(self)

    def after_fork(self) -> None:
        """Go on in a forked child, where the thread that scraped is not."""
        self._one_at_a_time = Lock()

    def render(self, accept: str = "", names: Collection[str] = ()) -> tuple[bytes, str]:
        """A page in the format that an Accept header asks for, and its content type.

        Args:
            accept: the header.
            names: of families or their samples, if the page is to have these alone.
        """
        written = format_for(accept)
        return b"".join(self._pieces(written, names)), written.content_type

    def listen(self, host: str, port: int, others: Others = "never") -> Port:
        """Answer on a port of its own as well, 0 for any free one.

        Args:
            host: the address to listen on.
            port: the port.
            others: when other workers of the service listen there as well.

        Raises:
            PortInUse: somebody listens there already.
            ConfigurationError: this machine is not that host, or may not listen there.
        """
        return Port(self.answer, host, port, self._on_fault, others)

    def _pieces(self, written: Format, names: Collection[str]) -> Iterator[bytes]:
        return render(self._families(), written, self._on_fault, names)

    def _families(self) -> Iterable[MetricFamily]:
        lock = self._one_at_a_time
        if not lock.acquire(timeout=_PATIENCE):
            detail = "another scrape still collects; only the catalogue is shown"
            self._on_fault("/metrics", "busy", detail)
            return self.reader.families(collect=False)
        try:
            return [*self.reader.families(), *self.registry.others()]
        finally:
            lock.release()


def _one(head: Head, labels: Labels) -> SeriesFamily:
    return SeriesFamily(head, {labels: Number(1.0, adds_up=False)})
