"""Collectors of prometheus_client: the registered ones, and those of the default registry."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any, Final

import prometheus_client
from prometheus_client import CollectorRegistry
from prometheus_client.gc_collector import GCCollector
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from otel_meta.runtime.interruption import reraise_interruption
from otel_meta.runtime.recording.faults import logger

from .prometheus_client_bridge import ClientFamily, IsolatingRegistry, MetricFamilyCollector
from .timed_collection import Source

_PROCESS_COLLECTORS: Final = (GCCollector, PlatformCollector, ProcessCollector)
_PROCESS_METRICS: Final = ("process_", "python_")
"""Beginnings of the names of their metrics, which are on the page already."""

_KNOWN: Final = (
    prometheus_client.GC_COLLECTOR,
    prometheus_client.PLATFORM_COLLECTOR,
    prometheus_client.PROCESS_COLLECTOR,
)
"""Collectors of the default registry without any other metric; they need not read the system."""

_SDK_EXPORTER: Final = "opentelemetry.exporter.prometheus"
"""The package whose reader of the SDK is a collector of prometheus_client's default registry."""


class ClientCollectors:
    """The sources of prometheus_client's metrics, each of them once.

    Args:
        registry: the registry of the page. A registry that is registered in it stands for its
            collectors.
        merge_default: True adds prometheus_client's default registry.
        shared: True if the page belongs to all workers of the service. The default registry belongs
            to this worker only, except in the multiprocess mode of prometheus_client.
        is_guest: True if the page has the SDK metrics of another library's provider, whose own
            collector in a registry would show them a second time.
    """

    def __init__(
        self,
        registry: IsolatingRegistry,
        *,
        merge_default: bool = False,
        shared: bool = False,
        is_guest: bool = False,
    ) -> None:
        self._registry: Final = registry
        self._merge_default: Final = merge_default
        self._shared: Final = shared
        self._is_guest: Final = is_guest
        self._multiprocess: MultiProcessCollector | None = None
        self._has_warned = False

    def sources(self) -> list[Source]:
        """Return the collectors that are registered now."""
        registered = self._registry.client_collectors()
        own = [each for each in registered if not isinstance(each, CollectorRegistry)]
        registries = [each for each in registered if isinstance(each, CollectorRegistry)]
        if self._merge_default and self._is_shown(prometheus_client.REGISTRY):
            registries.append(prometheus_client.REGISTRY)
        foreign = [each for registry in registries for each in self._flat(registry, set())]
        return [
            *(Source(each, type(each).__name__, partial(_families, each)) for each in own),
            *(
                Source(each, type(each).__name__, partial(_families_of_others, each))
                for each in dict.fromkeys(foreign)
                if each not in own
            ),
        ]

    def _flat(self, registry: CollectorRegistry, seen: set[int]) -> Iterator[Any]:
        """Return the collectors of a registry and of registries in it, without our own."""
        if id(registry) in seen:
            return
        seen.add(id(registry))
        for collector in self._collectors(registry):
            if isinstance(collector, CollectorRegistry):
                yield from self._flat(collector, seen)
            elif not (isinstance(collector, MetricFamilyCollector) or self._is_double(collector)):
                yield collector

    def _is_double(self, collector: object) -> bool:
        is_exporter = type(collector).__module__.startswith(_SDK_EXPORTER)
        return collector in _KNOWN or (self._is_guest and is_exporter)

    def _collectors(self, registry: CollectorRegistry) -> list[Any]:
        if registry is prometheus_client.REGISTRY and self._multiprocess_collector() is not None:
            return [self._multiprocess_collector()]
        return _registered(registry)

    def _multiprocess_collector(self) -> MultiProcessCollector | None:
        """Return the collector of all workers; None without prometheus_client's directory."""
        if self._multiprocess is None:
            new: Any = MultiProcessCollector  # has no types
            try:
                self._multiprocess = new(None)
            except ValueError as error:  # PROMETHEUS_MULTIPROC_DIR is no directory
                reraise_interruption(error)
                return None
        return self._multiprocess

    def _is_shown(self, registry: CollectorRegistry) -> bool:
        """Return False, with a warning, for metrics of a single worker on a shared page."""
        if not self._shared or self._multiprocess_collector() is not None:
            return True
        others = [each for each in _registered(registry) if type(each) not in _PROCESS_COLLECTORS]
        if others and not self._has_warned:
            self._has_warned = True
            logger.warning(
                "/metrics is shared by all workers and leaves out the metrics that "
                "prometheus_client keeps for a single worker; set PROMETHEUS_MULTIPROC_DIR before "
                "the start, and the page shows them for all workers"
            )
        return False


def _registered(registry: CollectorRegistry) -> list[Any]:
    """Return the collectors of a registry, which has no public access to a single one.

    A registry without this attribute is collected as a whole.
    """
    return list(getattr(registry, "_collector_to_names", [registry]))


def _families(collector: Any) -> list[ClientFamily]:
    return [ClientFamily(metric) for metric in collector.collect()]


def _families_of_others(collector: Any) -> list[ClientFamily]:
    """Return the families of a foreign registry's collector, without those of the process."""
    metrics: Iterable[Metric] = collector.collect()
    if isinstance(collector, _PROCESS_COLLECTORS):
        metrics = [each for each in metrics if not each.name.startswith(_PROCESS_METRICS)]
    return [ClientFamily(metric) for metric in metrics]
